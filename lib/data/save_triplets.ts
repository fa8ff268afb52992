import { writeFileAtomic } from "../io/write_atomic.ts";
import type { Triplet } from "../types.ts";

const BLOCK_CHARACTERS = 2 ** 20;

/**
 * Writes triplets as JSONL, one a line, so that the file is complete or absent. Extra fields of a
 * row are written too.
 *
 * @throws {UserError} When the file can't be written.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { saveTriplets } from "./save_triplets.ts";
 * const path = await Deno.makeTempDir() + "/triplets.jsonl";
 * await saveTriplets(path, [{ prompt: "Fever?", chosen: " No.", rejected: " Yes." }]);
 * const text = await Deno.readTextFile(path);
 * assert.equal(text, `{"prompt":"Fever?","chosen":" No.","rejected":" Yes."}\n`);
 * ```
 */
export async function saveTriplets(path: string, triplets: Iterable<Triplet>): Promise<void> {
  const encoder = new TextEncoder();
  await writeFileAtomic(path, async (write) => {
    let block = "";
    for (const triplet of triplets) {
      block += `${JSON.stringify(triplet)}\n`;
      if (block.length < BLOCK_CHARACTERS) continue;
      await write(encoder.encode(block));
      block = "";
    }
    await write(encoder.encode(block));
  });
}
