import { createHash } from "node:crypto";
import { openByteFile } from "./byte_file.ts";

const CHUNK_BYTES = 2 ** 22;

/**
 * Computes the SHA-256 of a file in constant memory.
 *
 * @returns 64 lowercase hexadecimal digits.
 * @throws {UserError} Where the file can't be read.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { sha256File } from "./sha256_file.ts";
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, "abc");
 * assert.match(await sha256File(path), /^ba7816bf8f01cfea/);
 * ```
 */
export async function sha256File(path: string): Promise<string> {
  using file = openByteFile(path);
  const hash = createHash("sha256");
  for (let offset = 0; offset < file.size; offset += CHUNK_BYTES) {
    hash.update(file.read(offset, Math.min(CHUNK_BYTES, file.size - offset)));
    // Hashing gigabytes must not keep signals and other tasks waiting.
    await new Promise((resolve) => setTimeout(resolve));
  }
  return hash.digest("hex");
}
