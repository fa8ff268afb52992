import { UserError } from "../errors.ts";
import { readLines } from "./read_lines.ts";
import { checkRow, type RowKind, unknownKeys } from "./triplet_schema.ts";

/** How many bad rows, and how many unknown keys, are named. */
const SHOWN = 20;

/** Options of whatever reads rows from a file. */
export type ReadRowsOptions = {
  /** Leave bad rows out and count them, instead of refusing the file. */
  skipInvalid?: boolean;
  /** Called once, after the last row. */
  onReport?: (report: ReadReport) => void;
};

/** What was found in a file of rows. */
export type ReadReport = {
  path: string;
  /** Lines that are not blank. */
  rows: number;
  /** Bad rows; with `skipInvalid` they were left out. */
  invalid: number;
  /** A sentence for each of the first 20 bad rows. */
  problems: string[];
  /** Keys that rows have beside the known ones, at most 20; they are kept out of training. */
  unknownKeys: string[];
};

/** Reads JSONL row by row in constant memory; `wrap` makes what is yielded. */
export async function* readRows<Row, T>(
  path: string,
  { kind, wrap }: { kind: RowKind<Row>; wrap: (line: number, row: Row) => T },
  { skipInvalid = false, onReport }: ReadRowsOptions = {},
): AsyncGenerator<T, ReadReport> {
  const report: ReadReport = { path, rows: 0, invalid: 0, problems: [], unknownKeys: [] };
  let first: UserError | undefined, hint = "";
  const fail = (line: number, { problem, field }: { problem: string; field?: string }) => {
    const message = `Cannot parse ${kind.noun} at "${path}" line ${line}: ${problem}`;
    first ??= new UserError(message, { path, line, field });
    report.invalid++;
    if (report.problems.length < SHOWN) report.problems.push(message);
  };
  for await (const lines of readLines(path)) {
    for (const { line, text, problem } of lines) {
      if (problem === undefined && text.trim() === "") continue;
      if (report.rows++ === 0) hint = shapeHint(path, text, kind.keys);
      const parsed = problem === undefined ? parseRow(text, kind, report) : { problem };
      if ("row" in parsed) yield wrap(line, parsed.row);
      else fail(line, parsed);
    }
  }
  if (report.rows === report.invalid && hint) {
    const wanted = `wanted a JSON object with ${kind.keys.join(", ")} a line`;
    throw new UserError(`Cannot use "${path}": ${wanted}, ${hint}`, { path });
  }
  if (first && !skipInvalid) throw collected(first, report);
  if (report.rows === report.invalid) {
    const all = report.rows === 1 ? "its only row is" : `all ${report.rows} rows are`;
    const found = report.invalid ? `${all} invalid: ${report.problems[0]}` : "it is empty";
    throw new UserError(`Cannot use "${path}": wanted at least one ${kind.noun}, ${found}`, {
      path,
    });
  }
  onReport?.(report);
  return report;
}

/** What a file seems to be whose every row is bad, from its name and first row; else "". */
function shapeHint(path: string, firstRow: string, keys: readonly string[]): string {
  if (/\.(csv|tsv)$/i.test(path)) {
    return "found a table; scripts/make_triplets.ts makes triplets of tables";
  }
  if (keys.includes("completion") && /"chosen"\s*:/.test(firstRow)) {
    return 'found triplets; --completion_key chosen imitates their "chosen"';
  }
  return firstRow.trimStart().startsWith("[")
    ? 'found a list; write its items one a line, as "jq -c .[]" does'
    : "";
}

function parseRow<Row>(text: string, kind: RowKind<Row>, report: ReadReport) {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Its own line number counts within the row, and is 1 always.
    const why = (error as Error).message.replace(/ \(line 1 column \d+\)$/, "");
    return { problem: `not JSON: ${why}` };
  }
  const checked = checkRow(value, kind);
  if ("row" in checked) noteUnknownKeys(value as Record<string, unknown>, kind.keys, report);
  return checked;
}

function noteUnknownKeys(
  row: Record<string, unknown>,
  known: readonly string[],
  { unknownKeys: noted }: ReadReport,
) {
  for (const key of unknownKeys(row, known)) {
    if (!noted.includes(key) && noted.length < SHOWN) noted.push(key);
  }
}

function collected(first: UserError, { path, rows, invalid, problems }: ReadReport): UserError {
  const { line, field } = first;
  const advice = "--skip_invalid to leave";
  if (invalid === 1) {
    const message = `${first.message}; mend it, or pass ${advice} it out`;
    return new UserError(message, { path, line, field });
  }
  const more = invalid > problems.length ? `... and ${invalid - problems.length} more\n` : "";
  const message = `${problems.join("\n")}\n${more}${invalid} of ${rows} rows of "${path}" are ` +
    `invalid; mend them, or pass ${advice} them out`;
  return new UserError(message, { path, line, field });
}
