import { didYouMean, nearestName } from "../../lib/did_you_mean.ts";
import { UsageError } from "../../lib/errors.ts";
import { parseFlags } from "../../lib/std.ts";

/**
 * How a flag is declared; a flag without `default` or `required` may be absent, and one with `bare`
 * has that value where it stands without one.
 */
export type Flag =
  & {
    /** What it does, in a sentence without a full stop; the default is added by itself. */
    help: string;
    /** The word that stands for the value in the help, TEXT unless given. */
    value?: string;
    /** What the values are, a line each under the help, as `name  what it is`. */
    lines?: readonly string[];
  }
  & (
    | { type: "boolean" }
    | { type: "string"; default?: string; required?: true; bare?: string }
    | ({ type: "number" | "integer"; default?: number; required?: true } & Range)
    | { type: "choice"; choices: readonly string[]; default?: string; required?: true }
    | { type: "list"; choices?: readonly string[]; default?: readonly string[]; required?: true }
    | ({ type: "numbers"; default?: readonly number[]; required?: true } & Range)
  );

/** Bounds of a number: `min` and `max` are allowed themselves, `above` and `below` are not. */
type Range = { min?: number; max?: number; above?: number; below?: number };

/** A script's flags by name, in the order that the help shows. */
export type Flags = Record<string, Flag>;

type ValueOf<F> = F extends { type: "boolean" } ? boolean
  : F extends { type: "number" | "integer" } ? number
  : F extends { type: "numbers" } ? number[]
  : F extends { type: "list"; choices: readonly (infer C)[] } ? C[]
  : F extends { type: "list" } ? string[]
  : F extends { choices: readonly (infer C)[] } ? C
  : string;
type AlwaysThere = { type: "boolean" } | { default: unknown } | { required: true };

/** What `main` gets: a value for each flag, `undefined` where one may be absent and was not given. */
export type FlagValues<F extends Flags> = {
  -readonly [K in keyof F]: F[K] extends AlwaysThere ? ValueOf<F[K]> : ValueOf<F[K]> | undefined;
};

/** Flags that every script has. */
export const commonFlags = {
  help: { type: "boolean", help: "Shows this text" },
  debug: { type: "boolean", help: "Shows where in the code an unexpected error arose" },
} satisfies Flags;

/**
 * Reads a command line: `--name value`, `--name=value`, `--switch`; the last of a repeated flag counts.
 *
 * @throws {UsageError} For an unknown flag (with the nearest name), a missing or a wrong value.
 */
export function readFlags<F extends Flags>(args: string[], flags: F): FlagValues<F> {
  const all: Flags = { ...flags, ...commonFlags };
  const { flags: given, words, unknown } = parseFlags(joinValues(args, all), Object.keys(all));
  if (unknown !== undefined) throw new UsageError(describeUnknown(unknown, Object.keys(all)));
  if (words.length > 0) {
    throw new UsageError(
      `Cannot place "${words[0]}": a value follows its flag, as in --name value`,
    );
  }
  const entries = Object.entries(all).map(([name, flag]) => [
    name,
    Object.hasOwn(given, name) ? readValue(name, flag, given[name]) : absentValue(name, flag),
  ]);
  const values = Object.fromEntries(entries);
  for (const name of Object.keys(commonFlags)) delete values[name]; // runScript looks for them
  return values;
}

/** Each known flag as `--name=value`, so that a value may begin with "-" and none is left to guess. */
function joinValues(args: string[], flags: Flags): string[] {
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--") return [...joined, ...args.slice(i)];
    const [, name, equals] = args[i].match(/^--([^=]+)(=$)?/s) ?? [];
    if (name === undefined || !Object.hasOwn(flags, name)) joined.push(args[i]);
    else if (args[i] !== `--${name}` && !equals) joined.push(args[i]);
    else if (flags[name].type === "boolean") joined.push(`--${name}=true`);
    else if (equals || !args[i + 1] || args[i + 1].startsWith("--")) {
      joined.push(`--${name}=${bareValue(name, flags[name])}`);
    } else joined.push(`--${name}=${args[++i]}`);
  }
  return joined;
}

function bareValue(name: string, flag: Flag): string {
  if ("bare" in flag && flag.bare !== undefined) return flag.bare;
  throw new UsageError(`--${name} needs a value: ${describeWanted(flag)}`, { field: name });
}

function describeUnknown(typed: string, names: string[]): string {
  const word = typed.replace(/^-+/, "");
  if (word === "h") return `Unknown flag ${typed}; did you mean --help?`;
  const nearest = nearestName(word, names);
  return `Unknown flag ${typed}; ` +
    (nearest ? `did you mean --${nearest}?` : "--help lists the flags there are");
}

function absentValue(name: string, flag: Flag): unknown {
  if (flag.type === "boolean") return false;
  if (flag.default !== undefined) return flag.default;
  if (!flag.required) return undefined;
  throw new UsageError(`--${name} is missing: ${flag.help}`, { field: name });
}

const splitList = (text: string) => text.split(",").map((item) => item.trim());

function readValue(name: string, flag: Flag, text: string): unknown {
  const wrong = () => {
    const message = `--${name} must be ${describeWanted(flag)}, found "${text}"`;
    const hint = "choices" in flag && flag.choices ? nearestChoice(text, flag.choices) : "";
    return new UsageError(message + hint, { field: name });
  };
  const check = <T>(value: T, isRight: boolean): T => {
    if (!isRight) throw wrong();
    return value;
  };
  switch (flag.type) {
    case "boolean":
      return check(text === "true", text === "true" || text === "false");
    case "string":
      return text;
    case "number":
    case "integer": {
      const value = readNumber(text);
      const isWhole = flag.type === "number" || Number.isSafeInteger(value);
      return check(value, isWhole && isWithin(value, flag));
    }
    case "numbers": {
      const values = splitList(text).map(readNumber);
      return check(values, values.every((value) => isWithin(value, flag)));
    }
    case "choice":
      return check(text, flag.choices.includes(text));
    case "list": {
      const items = splitList(text);
      const isRight = (item: string) => flag.choices ? flag.choices.includes(item) : item !== "";
      return check(items, items.every(isRight));
    }
  }
}

/** What was meant by the first of some names that is none of the choices. */
function nearestChoice(text: string, choices: readonly string[]): string {
  const wrong = splitList(text).find((item) => !choices.includes(item));
  return wrong === undefined ? "" : didYouMean(wrong, choices);
}

function isWithin(value: number, { min, max, above, below }: Range): boolean {
  return value >= (min ?? -Infinity) && value <= (max ?? Infinity) &&
    value > (above ?? -Infinity) && value < (below ?? Infinity);
}

/** A decimal number, or NaN: "", "0x10" and "Infinity" are none. */
function readNumber(text: string): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : NaN;
}

function describeWanted(flag: Flag): string {
  switch (flag.type) {
    case "boolean":
      return "true or false";
    case "string":
      return "text";
    case "number":
    case "integer":
      return (flag.type === "number" ? "a number" : "a whole number") + describeRange(flag);
    case "numbers":
      return describeRange(flag) === ""
        ? "numbers separated by commas"
        : `numbers${describeRange(flag)}, separated by commas`;
    case "choice":
      return `one of ${flag.choices.join(", ")}`;
    case "list":
      return flag.choices
        ? `one or more of ${flag.choices.join(", ")}, separated by commas`
        : "words separated by commas";
  }
}

function describeRange({ min, max, above, below }: Range): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  const bounds = [
    min === undefined ? "" : `of at least ${min}`,
    max === undefined ? "" : `of at most ${max}`,
    above === undefined ? "" : `above ${above}`,
    below === undefined ? "" : `below ${below}`,
  ].filter(Boolean);
  return bounds.length === 0 ? "" : ` ${bounds.join(" and ")}`;
}
