import { UserError } from "../errors.ts";

export type RunCommandOptions = {
  args: string[];
  env?: Record<string, string>;
  /** What the command is for, as in "Cannot <purpose>". */
  purpose: string;
};

/**
 * Runs a program to its end and returns what it printed.
 *
 * @throws {UserError} when it isn't installed or fails, with the last line that it printed.
 */
export async function runCommand(
  command: string,
  { args, env, purpose }: RunCommandOptions,
): Promise<string> {
  const child = new Deno.Command(command, { args, env, stdout: "piped", stderr: "piped" });
  const { success, code, stdout, stderr } = await child.output().catch((cause) => {
    throw new UserError(`Cannot ${purpose}: ${whyNotStarted(command, cause)}`, { cause });
  });
  const text = new TextDecoder();
  if (success) return text.decode(stdout);
  const last = text.decode(stderr).trim().split("\n").at(-1) || `it exited with ${code}`;
  throw new UserError(`Cannot ${purpose}: ${command} says "${last}"`);
}

/** Whether `command` runs at all with these arguments. */
export function commandRuns(command: string, args: string[]): Promise<boolean> {
  return runCommand(command, { args, purpose: "look for it" }).then(() => true, () => false);
}

function whyNotStarted(command: string, cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) return `${command} is not installed`;
  return cause instanceof Error ? cause.message : String(cause);
}
