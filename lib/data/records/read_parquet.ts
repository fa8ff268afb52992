import { UserError } from "../../errors.ts";
import { openByteFile } from "../../io/byte_file.ts";
import type { RecordBatch } from "./file_record.ts";

/** Reads a Parquet file, one row group at a time; lists and groups become lists and objects. */
export async function* readParquet(path: string): AsyncGenerator<RecordBatch> {
  using bytes = openByteFile(path);
  // Loaded here, for most files are none.
  const { parquetMetadataAsync, parquetReadObjects } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  const file = {
    byteLength: bytes.size,
    slice: (start: number, end = bytes.size) => bytes.read(start, end - start).buffer,
  };
  const refused = (error: unknown) => {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot parse "${path}" as Parquet: ${(error as Error).message}`, { path });
  };
  const metadata = await parquetMetadataAsync(file).catch(refused);
  let rowStart = 0;
  for (const { num_rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(num_rows), first = rowStart + 1;
    const options = { file, metadata, compressors, rowStart, rowEnd };
    const rows = await parquetReadObjects(options).catch(refused);
    yield { unit: "row", records: rows.map((value, i) => ({ line: first + i, value })) };
    rowStart = rowEnd;
  }
}
