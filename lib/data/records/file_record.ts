/** A row as its file has it; with a `problem` there was nothing to take a value from. */
export type FileRecord = { line: number; value?: unknown; problem?: string };

/** Some rows of a file, and what `line` counts, from 1: Parquet and lists have no lines. */
export type RecordBatch = { unit: "line" | "row"; records: FileRecord[] };
