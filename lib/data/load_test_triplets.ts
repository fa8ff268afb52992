import { placeRow } from "../row_place.ts";
import { readRows, type ReadRowsOptions } from "./read_rows.ts";
import { type TestTriplet, testTripletKind } from "./triplet_schema.ts";

/**
 * Loads triplets to judge by, as `loadTriplets` does, each with its `kind` where the file names in a
 * word or two what was changed in it.
 *
 * @throws {UserError} as `loadTriplets`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTestTriplets } from "./load_test_triplets.ts";
 * const [first] = await loadTestTriplets("phase2_data/dpo/val_dpo.jsonl");
 * assert.equal(first.kind, "unit"); // "6 weeks" became "6 months"
 * ```
 */
export async function loadTestTriplets(
  path: string,
  options: ReadRowsOptions = {},
): Promise<TestTriplet[]> {
  const wrap = (line: number, triplet: TestTriplet) => placeRow(triplet, { path, line });
  return await Array.fromAsync(readRows(path, { kind: testTripletKind, wrap }, options));
}
