import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { fileError } from "./file_error.ts";
import { readJsonFile } from "./read_json.ts";
import { sha256File } from "./sha256_file.ts";
import { writeFileAtomic } from "./write_atomic.ts";

/** Where a fetched model came from; kept as `SOURCE.json` beside it. */
export type SourceRecord = {
  model: string;
  source: string;
  license?: string;
  /** What was done to the files, where they are not as fetched. */
  note?: string;
  /** Every file of the folder. */
  files: Record<string, { bytes: number; sha256: string }>;
};

const NAME = "SOURCE.json";

const text = z.string("must be a text");
const FILES = "must list each file with its bytes and SHA-256";
const recordSchema = z.object({
  model: text,
  source: text,
  license: text.optional(),
  note: text.optional(),
  files: z.record(
    z.string(),
    z.object(
      { bytes: z.number("must be a number"), sha256: text },
      "must hold the file's bytes and SHA-256",
    ),
    FILES,
  ).refine((files) => Object.keys(files).length > 0, FILES),
});

/**
 * Hashes every file of a folder and writes `SOURCE.json` into it.
 *
 * @throws {UserError} Where a file can't be read or the record can't be written.
 */
export async function recordSource(
  folder: string,
  source: Omit<SourceRecord, "files">,
): Promise<SourceRecord> {
  const files: SourceRecord["files"] = {};
  const entries = Array.from(Deno.readDirSync(folder)).filter((entry) => entry.isFile);
  for (const name of entries.map((entry) => entry.name).sort()) {
    if (name !== NAME) files[name] = await describe(join(folder, name));
  }
  const record = { ...source, files };
  await writeFileAtomic(join(folder, NAME), JSON.stringify(record, null, 2) + "\n");
  return record;
}

/**
 * Reads a folder's `SOURCE.json` and compares every file with it.
 *
 * @returns Nothing where there is no record.
 * @throws {UserError} Where a file is missing or is not the one that was recorded, or the record is
 * damaged: without its list of files it proves nothing.
 */
export async function verifySource(folder: string): Promise<SourceRecord | undefined> {
  const path = join(folder, NAME);
  const isThere = await Deno.stat(path).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw fileError(error, { action: "read", path });
  });
  if (!isThere) return undefined;
  const record: SourceRecord = await readJsonFile(path, recordSchema);
  for (const [name, wanted] of Object.entries(record.files)) {
    const found = await describe(join(folder, name));
    if (found.sha256 === wanted.sha256) continue;
    const reason = `"${name}" is not the file that was fetched (${found.bytes} bytes, SHA-256 ` +
      `${found.sha256}; wanted ${wanted.bytes} bytes, ${wanted.sha256})`;
    throw new UserError(`Cannot use the model in "${folder}": ${reason}`, { path: folder });
  }
  return record;
}

async function describe(path: string): Promise<{ bytes: number; sha256: string }> {
  const sha256 = await sha256File(path);
  return { bytes: (await Deno.stat(path)).size, sha256 };
}
