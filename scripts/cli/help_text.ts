import { formatNumber } from "../../lib/format_number.ts";
import { installedAs } from "./commands.ts";
import { commonFlags, type Flag, type Flags } from "./flags.ts";
import { isLaunched } from "./place.ts";

/** What a script says of itself. */
export type ScriptText = {
  /** The name of its file without ".ts", and of its permission set. */
  name: string;
  /** What it does, in a sentence or two. */
  summary: string;
  /** What to type after the command, one example an item: "--beta 0.5 --json". */
  examples: readonly string[];
  flags: Flags;
};

const columns = 80;
const indent = 2;
const nameColumns = 30;

/** How a script is started here, up to its flags; `grant` is a permission flag beside its set. */
export function commandOf(name: string, grant = ""): string {
  if (isLaunched()) return installedAs(name);
  return `deno run -q -P=${name} ${grant && `${grant} `}scripts/${name}.ts`;
}

/** The text that `--help` prints: what the script does, each flag with its default, examples. */
export function helpText({ name, summary, examples, flags }: ScriptText): string {
  const rows = Object.entries({ ...flags, ...commonFlags });
  const commands = examples.map((args) => wrapCommand(`${commandOf(name)} ${args}`.trim()));
  return [
    wrap(`${name}: ${summary}`, 0),
    "",
    "Usage:",
    wrapCommand(`${commandOf(name)} [flags]`),
    "",
    "Flags:",
    ...rows.map(([flagName, flag]) => flagRow(flagName, flag)),
    "",
    examples.length === 1 ? "Example:" : "Examples:",
    ...commands,
  ].join("\n");
}

function flagRow(name: string, flag: Flag): string {
  const left = `${" ".repeat(indent)}--${name} ${placeholder(flag)}`.trimEnd();
  const right = wrap(flag.help + defaultText(flag), nameColumns).trimStart();
  const gap = left.length < nameColumns - 1
    ? " ".repeat(nameColumns - left.length)
    : `\n${" ".repeat(nameColumns)}`;
  const lines = (flag.lines ?? []).map((line) => `\n${" ".repeat(3 * indent)}${line}`);
  return left + gap + right + lines.join("");
}

function placeholder(flag: Flag): string {
  if (flag.type === "boolean") return "";
  if (flag.value) return flag.value;
  const words = { string: "TEXT", number: "NUMBER", integer: "INTEGER", numbers: "NUMBER,..." };
  if (flag.type === "choice") return "NAME";
  return flag.type === "list" ? "NAME,..." : words[flag.type];
}

function defaultText(flag: Flag): string {
  const names = "choices" in flag && flag.choices ? flag.choices : [];
  const said = [flag.help, ...flag.lines ?? []].join(" ");
  const areNamed = names.every((name) => said.includes(name));
  const choices = areNamed ? "" : `: ${names.join(", ")}`;
  if (flag.type === "boolean") return "";
  if (flag.required) return `${choices} (required)`;
  if (flag.default === undefined) return choices;
  const value = Array.isArray(flag.default)
    ? flag.default.join(",")
    : typeof flag.default === "number"
    ? formatNumber(flag.default)
    : flag.default;
  return `${choices} (default: ${value})`;
}

/** Fills lines of words up to 80 columns, each beginning after `margin` spaces. */
export function wrap(text: string, margin: number): string {
  const lines = fill(text.split(" "), columns - margin);
  return lines.map((line) => " ".repeat(margin) + line).join("\n");
}

/** A command over several lines where one is too short for it, as a shell takes it. */
export function wrapCommand(command: string): string {
  // A flag stays beside its value.
  const words = command.split(/ (?=--|\[)/);
  const lines = fill(words, columns - indent - 4);
  const first = " ".repeat(indent);
  return first + lines.join(` \\\n${first}  `);
}

function fill(words: string[], width: number): string[] {
  const lines = [words[0]];
  for (const word of words.slice(1)) {
    const line = `${lines.at(-1)} ${word}`;
    if (line.length <= width) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}
