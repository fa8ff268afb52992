import { type Info, parse } from "csv-parse";
import { UserError } from "../../errors.ts";
import { readLines } from "./read_lines.ts";
import type { FileRecord, RecordBatch } from "./file_record.ts";

const BATCH = 256;

type Parsed = { info: Info; record: Record<string, string> };

/** Reads a table with a header; `line` is where a row begins. */
export async function* readCsv(path: string, delimiter: string): AsyncGenerator<RecordBatch> {
  const parser = parse({
    columns: (names: string[]) => checkNames(names, path),
    ...{ skip_empty_lines: true, info: true, delimiter },
    record_delimiter: ["\r\n", "\n"], // one file may have both
  });
  let records: FileRecord[] = [];
  const fed = feed(path, parser);
  try {
    for await (const { info: { lines }, record } of parser as AsyncIterable<Parsed>) {
      const within = Object.values(record).join("").split("\n").length - 1;
      records.push({ line: lines - within, value: record });
      if (records.length < BATCH) continue;
      yield { unit: "line", records };
      records = [];
    }
    await fed;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot parse "${path}" as CSV: ${(error as Error).message}`, { path });
  }
  if (records.length > 0) yield { unit: "line", records };
}

/** Refuses a header that names two columns alike, of which a row would keep the last one alone. */
function checkNames(names: string[], path: string): string[] {
  const twice = names.find((name, i) => name !== "" && names.indexOf(name) < i);
  if (twice === undefined) return names;
  throw new UserError(
    `Cannot use "${path}": two of its columns are named "${twice}"; rename one of them`,
    { path, field: twice },
  );
}

/** Writes a file's text into the parser, never more than it takes. */
async function feed(path: string, parser: ReturnType<typeof parse>): Promise<void> {
  try {
    for await (const text of readText(path)) {
      if (parser.destroyed) return;
      if (!parser.write(text)) {
        await new Promise((resolve) => parser.once("drain", resolve).once("close", resolve));
      }
    }
    parser.end();
  } catch (error) {
    parser.destroy(error as Error);
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
