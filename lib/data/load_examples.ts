import type { Example } from "../types.ts";
import { placeRow } from "../row_place.ts";
import { readRows, type ReadRowsOptions } from "./read_rows.ts";
import { exampleKind } from "./triplet_schema.ts";

/** Options of {@link loadExamples}. */
export type LoadExamplesOptions = ReadRowsOptions & {
  /** The key of the answer to imitate; "completion" unless given, "chosen" for a triplets file. */
  completionKey?: string;
};

/**
 * Loads an SFT file, one `{"prompt", "completion"}` a line, by the rules of {@link loadTriplets}.
 *
 * @throws {UserError} When the file can't be read, has bad rows, or no good one.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadExamples } from "./load_examples.ts";
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, `{"prompt": "Fever?", "completion": " No."}`);
 * assert.deepEqual(await loadExamples(path), [{ prompt: "Fever?", completion: " No." }]);
 * ```
 */
export async function loadExamples(
  path: string,
  { completionKey = "completion", ...options }: LoadExamplesOptions = {},
): Promise<Example[]> {
  const wrap = (line: number, example: Example) => placeRow(example, { path, line });
  return await Array.fromAsync(readRows(path, { kind: exampleKind(completionKey), wrap }, options));
}
