import type { LintCheck, LintedRow } from "../../mod.ts";
import { formatCount } from "../../lib/format_count.ts";
import { wrap } from "./help_text.ts";

const MARGIN = 28, COLUMNS = 80, SHOWN = 3;

/** What each check found, with its first rows and what to do, in 80 columns. */
export function lintTable(checks: readonly LintCheck[], pairs: number): string {
  const faults = checks.filter(({ isHint, rows }) => !isHint && rows?.length).length;
  const hints = checks.filter(({ isHint, rows }) => isHint && rows?.length).length;
  return [
    "check".padEnd(19) + "rows".padStart(7) + "  found in, and what to do",
    "-".repeat(COLUMNS),
    ...checks.flatMap(linesOf),
    "",
    `${formatCount(pairs, "pair")}: ` +
    (faults === 0 ? "nothing found" : `${formatCount(faults, "check")} found something`) +
    (hints === 0 ? "." : `; ${formatCount(hints, "hint")}.`),
  ].join("\n");
}

function linesOf({ name, rows, figure, next }: LintCheck): string[] {
  const count = rows === null ? "-" : rows.length.toLocaleString("en-US");
  const more = (rows?.length ?? 0) - SHOWN;
  const lines = [
    ...(figure === null ? [] : [wrap(figure, MARGIN)]),
    ...(rows ?? []).slice(0, SHOWN).map(rowLines),
    ...(more > 0 ? [wrap(`and ${more.toLocaleString("en-US")} more`, MARGIN)] : []),
    ...(rows?.length === 0 ? [] : [wrap(rows === null ? next : `-> ${next}`, MARGIN)]),
  ].join("\n");
  return [`${name.padEnd(19)}${count.padStart(7)}  ${lines.trimStart()}`.trimEnd()];
}

/** A row's place, and beside or below it what was found. */
function rowLines({ place, set, index, note }: LintedRow): string {
  const name = place ? `${place.path}:${place.line}` : `${set} row ${index + 1}`;
  const words = `${name}: ${note}`.replace(/[\p{Cc}\p{Cf}]/gu, "?").split(" ");
  return wrap(words.map((word) => ending(word, COLUMNS - MARGIN)).join(" "), MARGIN);
}

/** The end of a word that is too long for its line: of a path, the part that tells. */
function ending(word: string, width: number): string {
  return word.length <= width ? word : `...${word.slice(3 - width)}`;
}
