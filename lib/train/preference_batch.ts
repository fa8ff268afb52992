import type { EncodedPair } from "../types.ts";
import type { Models } from "./build_models.ts";
import { makeSums, type PairSums } from "./pair_sums.ts";
import { scorePairs } from "./score_pairs.ts";

/**
 * Pairs with the reference's summed log-probabilities of their responses; `exact` ones are float32
 * also where weights are multiplied in bfloat16, and the policy is then asked in the same way.
 */
export type PreferenceBatch = { pairs: EncodedPair[]; reference: PairSums; exact: boolean };

/**
 * Asks the reference for its log-probabilities of some pairs, which makes them a batch for
 * `dpoStep`. The reference never changes, so this is done once a pair.
 *
 * **Shapes and dtypes**: `reference` holds float64 `[B]` in the order of `pairs`.
 * **Units**: nats, summed over response tokens.
 * **Memory**: no tensor is left behind.
 *
 * @param options `batchSize`, how many pairs are computed together, all of them unless given;
 * `exact` for pairs to judge by rather than to train on.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { encodePairs } from "../tokenizer/encode_all.ts";
 * import { buildModels } from "./build_models.ts";
 * import { preferenceBatch } from "./preference_batch.ts";
 * const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const { rows } = encodePairs(models.tokenizer, triplets.slice(0, 2));
 * const { reference } = await preferenceBatch(models, rows);
 * assert(reference.chosen.every((logProb) => logProb < 0));
 * ```
 */
export async function preferenceBatch(
  models: Models,
  pairs: EncodedPair[],
  options: { batchSize?: number; exact?: boolean } = {},
): Promise<PreferenceBatch> {
  const { batchSize = pairs.length, exact = false } = options;
  const reference = await scorePairs(models, pairs, { adapter: false, batchSize, exact });
  return { pairs, reference, exact };
}

/** Some of a batch's pairs, by their place in it. */
export function pickPairs(
  { pairs, reference, exact }: PreferenceBatch,
  rows: number[],
): PreferenceBatch {
  return {
    exact,
    pairs: rows.map((row) => pairs[row]),
    reference: makeSums((name) => Float64Array.from(rows, (row) => reference[name][row])),
  };
}
