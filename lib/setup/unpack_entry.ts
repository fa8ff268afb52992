import { crc32 } from "node:zlib";
import { UserError } from "../errors.ts";
import type { ByteFile } from "../io/byte_file.ts";
import { fileError } from "../io/file_error.ts";
import type { ZipEntry } from "../io/zip.ts";

export type UnpackEntryOptions = {
  target: string;
  /** Is told how many bytes were written since the last call. */
  onBytes?: (count: number) => void;
};

const CHUNK_BYTES = 1 << 20;

/**
 * Writes one entry of a zip archive to a file in constant memory, so that a library of a gigabyte
 * costs no more than a header. It is written beside its place first, and gets its name only when
 * its size and checksum are those that the archive promises.
 *
 * @throws {UserError} when the archive is damaged or the file can't be written.
 */
export async function unpackEntry(
  archive: ByteFile,
  entry: ZipEntry,
  { target, onBytes }: UnpackEntryOptions,
): Promise<void> {
  const temporary = `${target}.tmp`;
  try {
    await writeChecked(archive, entry, { target: temporary, onBytes });
    await Deno.rename(temporary, target);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    if (error instanceof TypeError) throw damaged(archive, entry, error);
    throw fileError(error, { action: "write", path: target });
  }
}

async function writeChecked(
  archive: ByteFile,
  entry: ZipEntry,
  { target, onBytes }: UnpackEntryOptions,
): Promise<void> {
  const filter = entry.deflated ? new DecompressionStream("deflate-raw") : new TransformStream();
  const source = ReadableStream.from(chunks(archive, entry));
  const fed = source.pipeTo(filter.writable).catch(() => {}); // the reader hears of it
  let [size, checksum] = [0, 0];
  try {
    using output = await Deno.open(target, { create: true, write: true, truncate: true });
    for await (const chunk of filter.readable as ReadableStream<Uint8Array>) {
      for (let at = 0; at < chunk.length;) at += await output.write(chunk.subarray(at));
      size += chunk.length;
      checksum = crc32(chunk, checksum);
      onBytes?.(chunk.length);
    }
  } finally {
    await fed; // the archive may close only after it
  }
  if (size !== entry.bytes || checksum !== entry.crc32) throw damaged(archive, entry);
}

/** The entry's bytes as they are stored, a megabyte at a time. */
function* chunks(archive: ByteFile, { start, storedBytes }: ZipEntry) {
  for (let at = 0; at < storedBytes; at += CHUNK_BYTES) {
    yield archive.read(start + at, Math.min(CHUNK_BYTES, storedBytes - at));
  }
}

function damaged({ path }: ByteFile, { name }: ZipEntry, cause?: Error): UserError {
  const why = `the content of "${name}" is damaged`;
  return new UserError(`Cannot unpack "${path}": ${why}`, { path, cause });
}
