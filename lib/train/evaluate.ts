import { dpoLoss, type DpoLossOptions } from "../loss/dpo_loss.ts";
import { addPairs, createMetricSums, meanMetrics } from "../loss/preference_metrics.ts";
import type { PreferenceMetrics } from "../types.ts";
import type { Models } from "./build_models.ts";
import { joinLogProbs } from "./pair_sums.ts";
import type { PreferenceBatch } from "./preference_batch.ts";
import { scorePairs } from "./score_pairs.ts";

/** Options of {@link evaluate}. */
export type EvaluateOptions = Omit<DpoLossOptions, "totalPairs" | "totalChosenTokens"> & {
  batchSize?: number;
  signal?: AbortSignal;
};

/**
 * Judges the policy on pairs that it was not trained on: loss, rewards, Chosen Preference and drift,
 * from exact sums over pairs, so that no number depends on `batchSize`.
 *
 * **Source**: arXiv 2305.18290, Eq. 7; metric names are TRL's.
 * **Units**: nats, means over pairs; `chosenPreference` is a share.
 *
 * @param batch pairs with the reference's log-probabilities, from `preferenceBatch`.
 */
export async function evaluate(
  models: Models,
  batch: PreferenceBatch,
  { batchSize = 4, signal, ...lossOptions }: EvaluateOptions,
): Promise<PreferenceMetrics> {
  const { pairs, reference } = batch;
  const policy = await scorePairs(models, pairs, { adapter: true, batchSize, signal });
  const logProbs = joinLogProbs(pairs, policy, reference), sums = createMetricSums();
  addPairs(sums, { ...logProbs, ...dpoLoss(logProbs, lossOptions) });
  return meanMetrics(sums);
}
