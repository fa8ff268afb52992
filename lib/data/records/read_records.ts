import type { RecordBatch } from "./file_record.ts";
import { readCsv } from "./read_csv.ts";
import { beginsAsList, readJsonLines, readJsonList } from "./read_json.ts";
import { readParquet } from "./read_parquet.ts";

/**
 * Reads a file row by row, some at a time: CSV and TSV with a header, Parquet, a JSON list of
 * objects, and whatever else as one JSON value a line. Memory: a batch of lines, a row group of
 * Parquet, all of a JSON list.
 *
 * @throws {UserError} When the file can't be read, or is not what its name says.
 */
export async function* readRecords(path: string): AsyncGenerator<RecordBatch> {
  if (/\.csv$/i.test(path)) yield* readCsv(path, ",");
  else if (/\.tsv$/i.test(path)) yield* readCsv(path, "\t");
  else if (/\.parquet$/i.test(path)) yield* readParquet(path);
  else if (await beginsAsList(path)) yield* readJsonList(path);
  else yield* readJsonLines(path);
}
