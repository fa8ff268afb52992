import { dpoLoss, type DpoLossOptions } from "../loss/dpo_loss.ts";
import { addPairs, createMetricSums, meanMetrics } from "../loss/preference_metrics.ts";
import type { PreferenceMetrics } from "../types.ts";
import type { Models } from "./build_models.ts";
import { joinLogProbs } from "./pair_sums.ts";
import type { PreferenceBatch } from "./preference_batch.ts";
import { scorePairs } from "./score_pairs.ts";
import { tokenSquares } from "./token_squares.ts";

/** Options of {@link evaluate}. */
export type EvaluateOptions = Omit<DpoLossOptions, "totalPairs" | "totalChosenTokens"> & {
  batchSize?: number;
  signal?: AbortSignal;
};

/**
 * Judges the policy on pairs that it was not trained on: loss, rewards, Chosen Preference and drift,
 * from exact sums over pairs, so that no number depends on `batchSize`. It computes in float32: of
 * weights that rest in bfloat16 the rounded values, and a reference that was asked for training in
 * another precision is asked anew. `aot` and `aot_unpaired` compare all these pairs with each other, where a step compares
 * its own.
 *
 * **Source**: arXiv 2305.18290, Eq. 7; metric names are TRL's.
 * **Units**: nats, means over pairs; `chosenPreference` is a share.
 * **Memory**: no tensor is left behind.
 *
 * @param batch pairs with the reference's log-probabilities, from `preferenceBatch`.
 * @throws {UserError} when an option of the loss is out of its range.
 *
 * @example An untrained policy ties on every pair.
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { encodePairs } from "../tokenizer/encode_all.ts";
 * import { buildModels } from "./build_models.ts";
 * import { evaluate } from "./evaluate.ts";
 * import { preferenceBatch } from "./preference_batch.ts";
 * const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const { rows } = encodePairs(models.tokenizer, triplets.slice(0, 4));
 * const batch = await preferenceBatch(models, rows);
 * const metrics = await evaluate(models, batch, { beta: 0.1 });
 * assert.equal(metrics.loss, Math.LN2);
 * assert.equal(metrics.chosenPreference, 0.5);
 * ```
 */
export async function evaluate(
  models: Models,
  batch: PreferenceBatch,
  { batchSize = 4, signal, ...lossOptions }: EvaluateOptions,
): Promise<PreferenceMetrics> {
  const { pairs } = batch, isExact = batch.exact || models.network.precision === "float32";
  const score = (adapter: boolean, measure?: typeof tokenSquares) =>
    scorePairs(models, pairs, { adapter, batchSize, signal, measure });
  const reference = isExact ? batch.reference : await score(false);
  const policy = await score(true);
  const squares = lossOptions.useWeighting ? await score(true, tokenSquares) : undefined;
  const logProbs = joinLogProbs(pairs, policy, reference, squares), sums = createMetricSums();
  addPairs(sums, { ...logProbs, ...dpoLoss(logProbs, lossOptions) });
  return meanMetrics(sums);
}
