import { UserError } from "../errors.ts";
import { readRecords } from "./records/read_records.ts";

/** A row of a table: values by column. */
export type TableRow = Record<string, unknown>;

const TABLE = /\.(?:csv|tsv|jsonl|ndjson|json|parquet)$/i;

/**
 * Reads a table, all of it: CSV or TSV with a header line, JSONL with one object a line, a JSON list
 * of objects, or Parquet (uncompressed, Snappy, Gzip, Brotli, Zstandard, LZ4).
 *
 * @throws {UserError} When the file can't be read, is none of these, or has no rows.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readTable } from "./read_table.ts";
 * const path = await Deno.makeTempFile({ suffix: ".csv" });
 * await Deno.writeTextFile(path, 'talk,note\n"Hi, my knee",Knee pain.\n');
 * assert.deepEqual(await readTable(path), [{ talk: "Hi, my knee", note: "Knee pain." }]);
 * ```
 */
export async function readTable(path: string): Promise<TableRow[]> {
  if (!TABLE.test(path)) {
    const wanted = "wanted a .csv, .tsv, .jsonl, .json or .parquet file";
    throw new UserError(`Cannot use "${path}": ${wanted}`, { path });
  }
  const rows: TableRow[] = [];
  for await (const { unit, records } of readRecords(path)) {
    for (const { line, value, problem } of records) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        const found = problem ?? "wanted a JSON object";
        throw new UserError(`Cannot parse "${path}" ${unit} ${line}: ${found}`, { path, line });
      }
      rows.push(value as TableRow);
    }
  }
  if (rows.length === 0) throw new UserError(`Cannot use "${path}": it has no rows`, { path });
  return rows;
}
