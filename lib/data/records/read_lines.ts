import { fileError } from "../../io/file_error.ts";

/** Bytes that a line may have; a longer one is reported and never held in memory. */
export const MAX_LINE_BYTES = 2 ** 24;
const CHUNK_BYTES = 2 ** 20;
const NEWLINE = 10;

/** A line's text, counted from 1; with a `problem` its bytes could not be taken as text. */
export type Line = { line: number; text: string; problem?: string };

/**
 * Reads a UTF-8 file line by line, some lines at a time, in constant memory. A BOM is taken off.
 *
 * @throws {UserError} When the file can't be read.
 */
export async function* readLines(path: string): AsyncGenerator<Line[]> {
  using file = await Deno.open(path).catch((error) => {
    throw fileError(error, { action: "read", path });
  });
  const decode = lineDecoder();
  let buffer = new Uint8Array(CHUNK_BYTES);
  let filled = 0;
  let skipping = false;
  for (let ended = false; !ended;) {
    if (filled === buffer.length) buffer = grow(buffer);
    const count = await file.read(buffer.subarray(filled)).catch((error) => {
      throw fileError(error, { action: "read", path });
    });
    ended = count === null;
    filled += count ?? 0;
    const lines: Line[] = [];
    let start = 0;
    for (;;) {
      let end = buffer.subarray(0, filled).indexOf(NEWLINE, start);
      if (end < 0 && !ended) break;
      if (end < 0) end = filled;
      if (end > start || end < filled || skipping) {
        lines.push(decode(buffer.subarray(start, end), skipping));
      }
      skipping = false;
      start = end + 1;
      if (start > filled) break;
    }
    buffer.copyWithin(0, start, filled);
    filled = Math.max(0, filled - start);
    if (filled > MAX_LINE_BYTES) [skipping, filled] = [true, 0];
    if (lines.length > 0) yield lines;
  }
}

function lineDecoder() {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let line = 0;
  return (bytes: Uint8Array, tooLong: boolean): Line => {
    line++;
    if (tooLong || bytes.length > MAX_LINE_BYTES) {
      return { line, text: "", problem: `the line is longer than ${MAX_LINE_BYTES / 2 ** 20} MiB` };
    }
    try {
      const text = decoder.decode(bytes);
      return { line, text: line === 1 && text.startsWith("\ufeff") ? text.slice(1) : text };
    } catch {
      return { line, text: "", problem: "not UTF-8" };
    }
  };
}

function grow(buffer: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(buffer.length * 2);
  larger.set(buffer);
  return larger;
}
