import { UserError } from "../errors.ts";
import type { EncodedExample, EncodedPair, Example, Triplet } from "../types.ts";
import { encodeExample, encodePair, type EncodePairOptions } from "./encode_pair.ts";
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
 * Turns triplets into token ids, row by row, by the rules of `encodePair`.
 *
 * @throws {UserError} at a row that has no response token inside `maxLength`, unless `skipInvalid`.
 */
export function encodePairs(
  tokenizer: Tokenizer,
  triplets: readonly Triplet[],
  options: EncodeAllOptions = {},
): EncodedRows<EncodedPair> {
  return encodeAll(
    triplets,
    (triplet, index) => encodePair(tokenizer, triplet, { ...options, index }),
    options,
  );
}

/** Turns SFT examples into token ids, as {@link encodePairs} does triplets. */
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
      if (!(skipInvalid && error instanceof UserError)) throw error;
      result.dropped++;
      result.firstReason ??= error.message;
    }
  });
  return result;
}
