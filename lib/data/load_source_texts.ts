import { z } from "zod";
import { readRows, type ReadRowsOptions } from "./read_rows.ts";
import type { RowKind } from "./triplet_schema.ts";

/** A text, what it was written from, and, where there is one, how it should read. */
export type SourceText = { source: string; text: string; reference?: string };

const unicode = z.string("must be a string").refine((text) => text.isWellFormed(), {
  error: "must be valid Unicode",
});
const filled = unicode.refine((text) => text.trim() !== "", {
  error: "must be a non-empty string",
});
const kind: RowKind<SourceText> = {
  noun: "row",
  keys: ["source", "text"],
  optionalKeys: ["reference"],
  // A model that wrote nothing is a result, too.
  schema: z.object(
    { source: filled, text: unicode, reference: filled.optional() },
    "must be an object",
  ),
  accept: () => null,
};

/**
 * Loads texts with their sources, one `{"source", "text", "reference"}` a line, by the rules of
 * {@link loadTriplets}; `text` may be empty, `reference` may be absent.
 *
 * @param path A file of such rows: JSONL, or as {@link readTriplets} takes others.
 * @throws {UserError} When the file can't be read, has bad rows, or no good one.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadSourceTexts } from "./load_source_texts.ts";
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, `{"source": "Fever for 2 days.", "text": "Fever."}`);
 * assert.deepEqual(await loadSourceTexts(path), [{ source: "Fever for 2 days.", text: "Fever." }]);
 * ```
 */
export async function loadSourceTexts(
  path: string,
  options: ReadRowsOptions = {},
): Promise<SourceText[]> {
  const wrap = (_line: number, row: SourceText) => row;
  return await Array.fromAsync(readRows(path, { kind, wrap }, options));
}
