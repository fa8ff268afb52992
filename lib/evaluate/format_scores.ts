import type { SummaryScores } from "./compare_summaries.ts";
import type { WrongDetail } from "./note_facts.ts";

/** One model's scores under its name, drawn greedily and at temperature 1. */
export type ScoreColumn = { name: string; greedy: SummaryScores; sampled: SummaryScores };

const LABEL_WIDTH = 32;
const COLUMN_WIDTH = 15;

/**
 * Lays scores side by side in a plain table, at most 80 columns wide with three models.
 *
 * @returns Lines without a trailing newline.
 */
export function formatScores(columns: readonly ScoreColumn[]): string {
  const row = (label: string, cells: string[]) =>
    `${label.padEnd(LABEL_WIDTH)}${cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join("")}`
      .trimEnd();
  const section = (title: string, how: "greedy" | "sampled") => [
    row(title, columns.map(() => "")),
    ...ROWS.map(([label, cell]) => row(`  ${label}`, columns.map((column) => cell(column[how])))),
  ];
  const { notes, facts } = columns[0].sampled;
  const title = `${notes} unseen notes, ${facts / notes} facts each`;
  return [
    row(title, columns.map((column) => column.name)),
    "-".repeat(LABEL_WIDTH + COLUMN_WIDTH * columns.length),
    ...section("sampled at temperature 1", "sampled"),
    ...section("greedy, the likeliest word", "greedy"),
  ].join("\n");
}

const ROWS: [string, (scores: SummaryScores) => string][] = [
  ["notes with a wrong detail", (s) => shareOf(s.notesWithWrongDetail, s.notes)],
  ["facts recalled", (s) => shareOf(s.recalled, s.facts)],
  ["mean length, tokens", (s) => (s.tokens / s.notes).toFixed(1)],
];

/** `part` of `whole` as people read it: `7.5 %`. */
export function shareOf(part: number, whole: number): string {
  return `${(100 * part / whole).toFixed(1)} %`;
}

/** Says in words what is wrong with a summary. */
export function describeWrong(wrong: readonly WrongDetail[]): string {
  if (wrong.length === 0) return "every detail is true";
  return wrong.map(({ kind, expected, found }) =>
    kind === "unsupported" ? `"${found}" is not in the note` : `${kind}: ${found}, not ${expected}`
  ).join("; ");
}
