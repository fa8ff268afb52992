import { UserError } from "../errors.ts";
import type { FileRecord } from "./records/file_record.ts";
import { readRecords } from "./records/read_records.ts";
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
  /** All rows; blank lines are none. */
  rows: number;
  /** Bad rows; with `skipInvalid` they were left out. */
  invalid: number;
  /** A sentence for each of the first 20 bad rows. */
  problems: string[];
  /** Keys that rows have beside the known ones, at most 20; they are kept out of training. */
  unknownKeys: string[];
};

/** Reads a file row by row as {@link readRecords} does; `wrap` makes what is yielded. */
export async function* readRows<Row, T>(
  path: string,
  { kind, wrap }: { kind: RowKind<Row>; wrap: (line: number, row: Row) => T },
  { skipInvalid = false, onReport }: ReadRowsOptions = {},
): AsyncGenerator<T, ReadReport> {
  const report: ReadReport = { path, rows: 0, invalid: 0, problems: [], unknownKeys: [] };
  let first: UserError | undefined, hint = "";
  const fail = (place: string, line: number, { problem, field }: Problem) => {
    const message = `Cannot parse ${kind.noun} at "${path}" ${place}: ${problem}`;
    first ??= new UserError(message, { path, line, field });
    report.invalid++;
    if (report.problems.length < SHOWN) report.problems.push(message);
  };
  for await (const { unit, records } of readRecords(path)) {
    for (const record of records) {
      if (report.rows++ === 0) hint = shapeHint(record.value, kind);
      const checked = checkRecord(record, kind, report);
      if ("row" in checked) yield wrap(record.line, checked.row);
      else fail(`${unit} ${record.line}`, record.line, checked);
    }
  }
  if (report.rows === report.invalid && hint) {
    const wanted = `wanted rows with ${kind.keys.join(", ")}`;
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

type Problem = { problem: string; field?: string };

/** What a file seems to be whose every row is bad, from its first one; else "". */
function shapeHint(first: unknown, { noun, keys }: RowKind<unknown>): string {
  if (typeof first !== "object" || first === null || Array.isArray(first)) return "";
  const columns = Object.keys(first);
  if (keys.includes("completion") && columns.includes("chosen")) {
    return 'found triplets; --completion_key chosen imitates their "chosen"';
  }
  if (keys.some((key) => columns.includes(key)) || columns.length === 0) return "";
  const shown = columns.slice(0, SHOWN).map((name) => `"${name}"`).join(", ");
  const maker = "scripts/make_triplets.ts makes triplets of texts and their sources";
  return `found ${shown}${noun === "triplet" ? `; ${maker}` : ""}`;
}

function checkRecord<Row>(
  { value, problem }: FileRecord,
  kind: RowKind<Row>,
  report: ReadReport,
): { row: Row } | Problem {
  if (problem !== undefined) return { problem };
  const checked = checkRow(value, kind);
  if ("row" in checked) noteUnknownKeys(value as Record<string, unknown>, kind, report);
  return checked;
}

function noteUnknownKeys(
  row: Record<string, unknown>,
  { keys, optionalKeys = [] }: RowKind<unknown>,
  { unknownKeys: noted }: ReadReport,
) {
  for (const key of unknownKeys(row, keys)) {
    if (optionalKeys.includes(key)) continue;
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
