import { placeRow } from "../row_place.ts";
import type { Triplet } from "../types.ts";
import { readRows, type ReadRowsOptions } from "./read_rows.ts";
import { tripletKind } from "./triplet_schema.ts";

/**
 * Loads a triplets file, all of it or nothing: one bad row refuses the file, unless `skipInvalid`
 * leaves such rows out and counts them in the report.
 *
 * @param path A file as {@link readTriplets} takes it.
 * @returns The triplets in the file's order, with no other keys than their own.
 * @throws {UserError} When the file can't be read, has bad rows (the first 20 are shown), or no
 * good one.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "./load_triplets.ts";
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, `{"prompt": "Fever?", "chosen": " No.", "rejected": null}`);
 * await assert.rejects(loadTriplets(path), /line 1: "rejected" must be a non-empty string, found null/);
 * ```
 */
export async function loadTriplets(
  path: string,
  options: ReadRowsOptions = {},
): Promise<Triplet[]> {
  const wrap = (line: number, triplet: Triplet) => placeRow(triplet, { path, line });
  return await Array.fromAsync(readRows(path, { kind: tripletKind, wrap }, options));
}
