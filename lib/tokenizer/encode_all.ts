import { UserError } from "../errors.ts";
import type { EncodedExample, EncodedPair, Example, Triplet } from "../types.ts";
import { encodeExample, encodePair, type EncodePairOptions, nameRow } from "./encode_pair.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Options of {@link encodePairs} and {@link encodeExamples}. */
export type EncodeAllOptions = Omit<EncodePairOptions, "index"> & {
  /** Leave out rows that can't be encoded and count them, instead of failing on the first. */
  skipInvalid?: boolean;
};

/** Encoded rows, and what became of the others. */
export type EncodedRows<T> = {
  rows: T[];
  /** Rows whose end `maxLength` cut off. */
  truncated: number;
  /** Rows left out, with the reason of the first. */
  dropped: number;
  firstReason?: string;
};

/**
 * Turns triplets into token ids, row by row, by the rules of `encodePair`; a pair whose difference was
 * cut off is refused, for it would teach nothing.
 *
 * **Units**: tokens.
 *
 * @throws {UserError} at a row that has no response token or no difference inside `maxLength`, unless
 * `skipInvalid`.
 *
 * @example A row whose prompt fills `maxLength` is left out and counted.
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodePairs } from "./encode_all.ts";
 * import { loadTokenizer } from "./load_tokenizer.ts";
 * const tokenizer = await loadTokenizer("tests/golden/tokenizers/byte_level");
 * const answers = { chosen: " No.", rejected: " Yes." };
 * const triplets = [{ prompt: "Fever?", ...answers }, { prompt: "Fever? ".repeat(9), ...answers }];
 * const options = { maxLength: 16, skipInvalid: true };
 * const { rows, dropped } = encodePairs(tokenizer, triplets, options);
 * assert.deepEqual([rows.length, dropped], [1, 1]);
 * ```
 */
export function encodePairs(
  tokenizer: Tokenizer,
  triplets: readonly Triplet[],
  options: EncodeAllOptions = {},
): EncodedRows<EncodedPair> {
  return encodeAll(
    triplets,
    (triplet, index) => {
      const pair = encodePair(tokenizer, triplet, { ...options, index });
      if (!pair.truncated || pair.chosen.join() !== pair.rejected.join()) return pair;
      const why = `within --max_length ${options.maxLength} chosen and rejected are the same`;
      throw new UserError(`Cannot encode ${nameRow(triplet, index)}: ${why}`, {
        field: "rejected",
      });
    },
    options,
  );
}

/**
 * Turns SFT examples into token ids, as {@link encodePairs} does triplets.
 *
 * @throws {UserError} at a row that has no completion token inside `maxLength`, unless `skipInvalid`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodeExamples } from "./encode_all.ts";
 * import { loadTokenizer } from "./load_tokenizer.ts";
 * const tokenizer = await loadTokenizer("tests/golden/tokenizers/byte_level");
 * const { rows } = encodeExamples(tokenizer, [{ prompt: "Fever?", completion: " No." }]);
 * assert.equal(tokenizer.decode(rows[0].prompt), "Fever?");
 * ```
 */
export function encodeExamples(
  tokenizer: Tokenizer,
  examples: readonly Example[],
  options: EncodeAllOptions = {},
): EncodedRows<EncodedExample> {
  return encodeAll(
    examples,
    (example, index) => encodeExample(tokenizer, example, { ...options, index }),
    options,
  );
}

function encodeAll<Row, Encoded extends { truncated?: number }>(
  rows: readonly Row[],
  encode: (row: Row, index: number) => Encoded,
  { skipInvalid = false }: EncodeAllOptions,
): EncodedRows<Encoded> {
  const result: EncodedRows<Encoded> = { rows: [], truncated: 0, dropped: 0 };
  rows.forEach((row, index) => {
    try {
      const encoded = encode(row, index);
      result.rows.push(encoded);
      if (encoded.truncated) result.truncated++;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (!skipInvalid) {
        throw new UserError(`${error.message}; --skip_invalid leaves such rows out`, error);
      }
      result.dropped++;
      result.firstReason ??= error.message;
    }
  });
  return result;
}
