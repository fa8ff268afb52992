import type { Triplet } from "../types.ts";
import { type ReadReport, readRows, type ReadRowsOptions } from "./read_rows.ts";
import { tripletKind } from "./triplet_schema.ts";

/**
 * Reads triplets one by one, in constant memory however large the file is (Parquet: a row group). Bad rows are collected:
 * a file that has some is refused after its last row, with a sentence for each of the first 20,
 * unless `skipInvalid` is set. So trust the rows only when the end is reached.
 *
 * @param path JSONL in UTF-8: one `{"prompt", "chosen", "rejected"}` a line, strings or lists of
 * `{role, content}`; blank lines and a BOM are accepted. By its ending also a `.csv` or `.tsv` with
 * these columns, or `.parquet`; by its first character a JSON list of such objects (which is read
 * at once, 256 MiB at most).
 * @returns Good rows with the line they begin in, counted from 1 (Parquet and lists: the row); at the
 * end the report.
 * @throws {UserError} When the file can't be read, has bad rows, or no good one.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readTriplets } from "./read_triplets.ts";
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, `{"prompt": "Fever?", "chosen": " No.", "rejected": " Yes."}\n{}`);
 * const rows = await Array.fromAsync(readTriplets(path, { skipInvalid: true }));
 * assert.deepEqual(rows.map(({ line, triplet }) => [line, triplet.chosen]), [[1, " No."]]);
 * ```
 */
export function readTriplets(
  path: string,
  options: ReadRowsOptions = {},
): AsyncGenerator<{ line: number; triplet: Triplet }, ReadReport> {
  const wrap = (line: number, triplet: Triplet) => ({ line, triplet });
  return readRows(path, { kind: tripletKind, wrap }, options);
}
