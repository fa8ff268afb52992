import type { ReadReport } from "../data/read_rows.ts";
import { sha256File } from "../io/sha256_file.ts";
import type { EncodedRows } from "../tokenizer/encode_all.ts";
import type { RowsOrigin } from "./train_types.ts";

/**
 * Notes where rows came from: the file with its hash, and what reading and encoding left out.
 *
 * @throws {UserError} when the file can't be read.
 */
export async function rowsOrigin(
  { path, invalid }: ReadReport,
  { dropped, firstReason }: EncodedRows<unknown>,
): Promise<RowsOrigin> {
  return { file: { path, sha256: await sha256File(path) }, invalid, dropped, firstReason };
}

/** Why no row is left and what helps, to follow the sentence that says so. */
export function whyNoRow(
  { dropped, firstReason }: Partial<Pick<RowsOrigin, "dropped" | "firstReason">> = {},
): string {
  if (!dropped) return "; wanted at least one";
  return `: all ${dropped} were left out, the first because: ${firstReason}. Raise --max_length`;
}
