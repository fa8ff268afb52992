import { pipeline } from "node:stream/promises";
import { parse } from "csv-parse";
import { UserError } from "../errors.ts";
import { readLines } from "./read_lines.ts";

/** A row of a table: values by column. */
export type TableRow = Record<string, unknown>;

/**
 * Reads a table: CSV with a header line, or JSONL with one object a line.
 *
 * @throws {UserError} When the file can't be read, is neither, or has no rows.
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
  const rows = /\.jsonl$/i.test(path) ? await readJsonLines(path) : await readCsv(path);
  if (rows.length === 0) throw new UserError(`Cannot use "${path}": it has no rows`, { path });
  return rows;
}

async function readCsv(path: string): Promise<TableRow[]> {
  if (!/\.csv$/i.test(path)) {
    throw new UserError(`Cannot use "${path}": wanted a .csv or a .jsonl file`, { path });
  }
  const record_delimiter = ["\r\n", "\n"]; // one file may have both
  const parser = parse({ columns: true, skip_empty_lines: true, record_delimiter });
  try {
    return await pipeline(readText(path), parser, (rows) => Array.fromAsync<TableRow>(rows));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot parse "${path}" as CSV: ${(error as Error).message}`, { path });
  }
}

/** A file's text, some lines at a time, so that a large table never stands in one string. */
async function* readText(path: string): AsyncGenerator<string> {
  for await (const lines of readLines(path)) {
    const bad = lines.find(({ problem }) => problem !== undefined);
    if (bad) {
      const { line, problem } = bad;
      throw new UserError(`Cannot read "${path}" line ${line}: ${problem}`, { path, line });
    }
    yield lines.map(({ text }) => `${text}\n`).join("");
  }
}

async function readJsonLines(path: string): Promise<TableRow[]> {
  const rows: TableRow[] = [];
  for await (const lines of readLines(path)) {
    for (const { line, text, problem } of lines) {
      if (problem === undefined && text.trim() === "") continue;
      const value = problem === undefined ? parseObject(text) : null;
      if (value === null) {
        const found = problem ?? "wanted a JSON object";
        throw new UserError(`Cannot parse "${path}" line ${line}: ${found}`, { path, line });
      }
      rows.push(value);
    }
  }
  return rows;
}

function parseObject(text: string): TableRow | null {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
