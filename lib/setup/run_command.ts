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
 * @throws {UserError} when it isn't installed or fails, with the line that tells why.
 */
export async function runCommand(
  command: string,
  { args, env, purpose }: RunCommandOptions,
): Promise<string> {
  const child = new Deno.Command(command, { args, env, stdout: "piped", stderr: "piped" });
  const { success, code, stdout, stderr } = await outputOf(child).catch((cause) => {
    throw new UserError(`Cannot ${purpose}: ${whyNotStarted(command, cause)}`, { cause });
  });
  const text = new TextDecoder();
  if (success) return text.decode(stdout);
  const says = reasonIn(text.decode(stderr)) || `nothing, and exits with ${code}`;
  throw new UserError(`Cannot ${purpose}: ${command} says ${says}`);
}

/** `output()` throws what it can know at once; here that is a rejection like the rest. */
async function outputOf(child: Deno.Command): Promise<Deno.CommandOutput> {
  return await child.output();
}

/** The last line that speaks of an error, else the last of all, quoted. */
function reasonIn(output: string): string {
  const lines = output.trim().split("\n").map((line) => line.trim());
  const reason = lines.findLast((line) => /^error|error:/i.test(line)) ?? lines.at(-1);
  return reason ? JSON.stringify(reason) : "";
}

/** Whether `command` runs at all with these arguments. */
export function commandRuns(command: string, args: string[]): Promise<boolean> {
  return runCommand(command, { args, purpose: "look for it" }).then(() => true, () => false);
}

function whyNotStarted(command: string, cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) return `${command} is not installed`;
  return cause instanceof Error ? cause.message : String(cause);
}
