import { UserError } from "../../errors.ts";
import { fileError } from "../../io/file_error.ts";
import { readLines } from "./read_lines.ts";
import type { FileRecord, RecordBatch } from "./file_record.ts";

/** Bytes of a list, which is parsed as one text. */
const MAX_LIST_BYTES = 2 ** 28;
const PEEKED_BYTES = 1024;

/** Reads one JSON value a line; blank lines are passed over. */
export async function* readJsonLines(path: string): AsyncGenerator<RecordBatch> {
  for await (const lines of readLines(path)) {
    const records: FileRecord[] = [];
    for (const { line, text, problem } of lines) {
      if (problem !== undefined) records.push({ line, problem });
      else if (text.trim() !== "") records.push({ line, ...parseJson(text) });
    }
    yield { unit: "line", records };
  }
}

/** Whether a file's first character that is no space opens a list. */
export async function beginsAsList(path: string): Promise<boolean> {
  try {
    using file = await Deno.open(path);
    const bytes = new Uint8Array(PEEKED_BYTES);
    const count = await file.read(bytes) ?? 0;
    return new TextDecoder().decode(bytes.subarray(0, count)).trimStart().startsWith("[");
  } catch (error) {
    throw fileError(error, { action: "read", path });
  }
}

/** Reads a file that is one list, all of it at once. */
export async function* readJsonList(path: string): AsyncGenerator<RecordBatch> {
  const { size } = await Deno.stat(path);
  if (size > MAX_LIST_BYTES) {
    const wanted = `wanted a list of at most ${MAX_LIST_BYTES / 2 ** 20} MiB`;
    throw new UserError(
      `Cannot read "${path}": ${wanted}; write its items one a line, as "jq -c .[]" does`,
      { path },
    );
  }
  const bytes = await Deno.readFile(path).catch((error) => {
    throw fileError(error, { action: "read", path });
  });
  const { value, problem } = parseJson(decodeText(bytes, path));
  if (!Array.isArray(value)) {
    throw new UserError(`Cannot parse "${path}": it begins as a list, and is ${problem}`, { path });
  }
  yield { unit: "row", records: value.map((value, i) => ({ line: i + 1, value })) };
}

/** A file's text, its BOM taken off. */
function decodeText(bytes: Uint8Array<ArrayBuffer>, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`Cannot read "${path}": not UTF-8`, { path });
  }
}

function parseJson(text: string): { value?: unknown; problem?: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    // Within one line its number is 1 always.
    const why = (error as Error).message.replace(/ \(line 1 column \d+\)$/, "");
    return { problem: `not JSON: ${why}` };
  }
}
