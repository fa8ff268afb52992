/**
 * The one place that knows whether JSR answered: `@std` where it can be had,
 * Node's built-ins (part of Deno) where it can't. Same functions, same tests.
 */
import nodeAssert from "node:assert/strict";
import { parseArgs as nodeParseArgs } from "node:util";

/** What was typed: flags by name, words without a flag, names that `spec` lacks. */
export type ParsedFlags = {
  flags: Record<string, string | boolean>;
  words: string[];
  unknown: string[];
};
export type FlagSpec = { string: string[]; boolean: string[] };

const cli = await import("@std/cli/parse-args").catch(() => null);
const std = await import("@std/assert").catch(() => null);

/** Ways to parse `--name value`, `--name=value` and `--switch`, by where they come from. */
export const parsers: Record<string, (args: string[], spec: FlagSpec) => ParsedFlags> = {
  node: (args, spec) => {
    const kinds = [["string", spec.string], ["boolean", spec.boolean]] as const;
    const entries = kinds.flatMap(([type, names]) => names.map((n) => [n, { type }]));
    const options = Object.fromEntries(entries) as Record<string, { type: "string" | "boolean" }>;
    const parsed = nodeParseArgs({ args, options, strict: false, allowPositionals: true });
    const flags = { ...parsed.values } as Record<string, string | boolean>;
    const unknown = Object.keys(flags).filter((name) => !(name in options));
    return { flags, words: parsed.positionals, unknown };
  },
  ...(cli && {
    jsr: (args, spec) => {
      const { _, ...flags } = cli.parseArgs(args, spec);
      const names = [...spec.string, ...spec.boolean];
      return {
        flags,
        words: _.map(String),
        unknown: Object.keys(flags).filter((n) => !names.includes(n)),
      };
    },
  }),
};
export const parseFlags = parsers.jsr ?? parsers.node;
export const assert: (value: unknown, message?: string) => asserts value = std?.assert ??
  nodeAssert;
export const assertEquals: <T>(actual: T, expected: T, message?: string) => void =
  std?.assertEquals ?? nodeAssert.deepEqual;
