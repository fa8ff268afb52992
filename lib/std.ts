/** The one place that knows whether JSR answered: `@std` if so, else Node's built-ins, alike in use. */
import nodeAssert from "node:assert/strict";
import { parseArgs } from "node:util";

const cli = await import("@std/cli/parse-args").catch(() => null);
const std = await import("@std/assert").catch(() => null);

/** What was typed: values by flag, words that belong to no flag, the first flag that `names` lacks. */
export type ParsedFlags = { flags: Record<string, string>; words: string[]; unknown?: string };
type Std = {
  /** Parses arguments in which each flag stands as `--name=value`. */
  parseFlags: (args: string[], names: string[]) => ParsedFlags;
  assert: (value: unknown, message?: string) => asserts value;
  assertEquals: <T>(actual: T, expected: T, message?: string) => void;
};

const node: Std["parseFlags"] = (args, names) => {
  const options = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
  const { values, positionals, tokens } = parseArgs({ args, options, strict: false, tokens: true });
  const at = tokens.find((t) => t.kind === "option" && !names.includes(t.name))?.index;
  const unknown = at === undefined ? at : args[at].split("=")[0];
  return { flags: { ...values } as Record<string, string>, words: positionals, unknown };
};

const jsr: Std["parseFlags"] | null = cli && ((args, names) => {
  let unknown: string | undefined;
  const keep = (arg: string, key?: string) => !key || !(unknown ??= arg.split("=")[0]);
  const { _, ...flags } = cli.parseArgs(args, { string: [...names, "_"], unknown: keep });
  return { flags: flags as Record<string, string>, words: _.map(String), unknown };
});

/** Both ways, for the tests that hold them to the same. */
export const ways: Record<string, Std | null> = {
  node: { parseFlags: node, assert: nodeAssert.ok, assertEquals: nodeAssert.deepEqual } as Std,
  jsr: jsr && std && { parseFlags: jsr, assert: std.assert, assertEquals: std.assertEquals },
};
const best = (ways.jsr ?? ways.node)!;
export const { parseFlags, assertEquals } = best;
export const assert: Std["assert"] = best.assert;
