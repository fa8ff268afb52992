import { join } from "node:path";
import { EXAMPLES, TRIPLETS, writeRows, writeTinyFolder } from "../train/tiny_folder.ts";

const root = new URL("../../", import.meta.url);

/** What a script printed and how it ended. */
export type Ended = { code: number; stdout: string; stderr: string };

/** A script as a user starts it, on plain JavaScript, where nothing has to be loaded. */
export function scriptCommand(name: string, args: string[]): Deno.Command {
  const script = new URL(`scripts/${name}.ts`, root).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", script, ...args, "--backend", "cpu"],
    cwd: root,
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs a script to its end. */
export async function runScript(name: string, args: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await scriptCommand(name, args).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** Flags as they are typed. */
export function typed(flags: Record<string, string | number>): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}

/** A folder with a tiny model, triplets and examples; `[Symbol.dispose]` removes it. */
export async function tinyWorkplace() {
  const root = await Deno.makeTempDir(), at = (name: string) => join(root, name);
  await writeTinyFolder(at("model"));
  await writeRows(at("triplets.jsonl"), TRIPLETS);
  await writeRows(at("examples.jsonl"), EXAMPLES);
  return {
    root,
    at,
    /** A copy of the tiny model with one of its files changed. */
    async modelWith(name: string, file: string, content: Uint8Array | string): Promise<string> {
      await writeTinyFolder(at(name));
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(join(at(name), file), bytes);
      return at(name);
    },
    [Symbol.dispose]: () => Deno.removeSync(root, { recursive: true }),
  };
}

export type Workplace = Awaited<ReturnType<typeof tinyWorkplace>>;
