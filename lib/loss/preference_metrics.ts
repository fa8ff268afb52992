import type { PreferenceMetrics } from "../types.ts";
import type { DpoLossResult, PairLogProbs } from "./dpo_loss.ts";
import { addExactly, roundSum } from "./exact_sum.ts";

const summed = [
  "loss",
  "rewards/chosen",
  "rewards/rejected",
  "rewards/margins",
  "logps/chosen",
  "logps/rejected",
  "drift/chosen",
  "drift/rejected",
] as const;

/** Sums and counts over pairs, from which {@link meanMetrics} makes means. */
export type MetricSums = {
  /** A sum that is exact, in parts, for each metric that is a mean. */
  sums: Record<string, number[]>;
  /** Pairs added so far. */
  pairs: number;
  /** Pairs whose chosen reward is strictly greater. */
  wins: number;
  /** Pairs whose rewards are equal. */
  ties: number;
};

/** Log-probabilities of pairs with what `dpoLoss` made of them. */
export type JudgedPairs =
  & PairLogProbs
  & Pick<DpoLossResult, "losses" | "chosenRewards" | "rejectedRewards">;

/** Makes sums over no pairs. */
export function createMetricSums(): MetricSums {
  return { sums: Object.fromEntries(summed.map((key) => [key, []])), pairs: 0, wins: 0, ties: 0 };
}

/**
 * Adds a batch's pairs to `sums`, in place.
 *
 * @param sums What {@link createMetricSums} made.
 * @param batch The log-probabilities with what `dpoLoss` made of them.
 */
export function addPairs(sums: MetricSums, batch: JudgedPairs): void {
  for (let i = 0; i < batch.losses.length; i++) {
    const pair = pairMetrics(batch, i), margin = pair["rewards/margins"];
    for (const key of summed) addExactly(sums.sums[key], pair[key]);
    sums.pairs++;
    if (margin > 0) sums.wins++;
    if (margin === 0) sums.ties++;
  }
}

/** What is summed, of one pair. */
export function pairMetrics(batch: JudgedPairs, i: number): Record<typeof summed[number], number> {
  const [chosenReward, rejectedReward] = [batch.chosenRewards[i], batch.rejectedRewards[i]];
  return {
    "loss": batch.losses[i],
    "rewards/chosen": chosenReward,
    "rewards/rejected": rejectedReward,
    "rewards/margins": chosenReward - rejectedReward,
    "logps/chosen": batch.policyChosen[i],
    "logps/rejected": batch.policyRejected[i],
    "drift/chosen": batch.policyChosen[i] - batch.referenceChosen[i],
    "drift/rejected": batch.policyRejected[i] - batch.referenceRejected[i],
  };
}

/**
 * Turns sums over pairs into means with TRL's names. The sums carry no rounding, so a value never
 * depends on how the pairs were ordered or batched.
 *
 * `rewards/accuracies` counts chosen reward > rejected reward strictly, as TRL does: 0 while policy
 * and reference are equal. `chosenPreference` counts a tie as half, so an untrained policy shows 0.5.
 * `drift/chosen` below 0 says that the chosen answers themselves became less likely. With `ldAlpha`
 * rewards are what the loss sees, while log-probabilities and drift are the whole answers'; TRL shows
 * weighted sums there too.
 *
 * **Source**: TRL 1.16 for names and the strict rule; ties, drift and `chosenPreference` are ours.
 * **Units**: nats; shares between 0 and 1.
 *
 * @param sums What {@link addPairs} filled.
 * @returns Means over all pairs.
 * @throws {RangeError} If no pair was added.
 *
 * @example An untrained policy: no accuracy in TRL's sense, a preference of one half.
 * ```ts
 * import assert from "node:assert/strict";
 * import { dpoLoss } from "./dpo_loss.ts";
 * import { addPairs, createMetricSums, meanMetrics } from "./preference_metrics.ts";
 * const same = { policyChosen: [-10, -20], policyRejected: [-11, -19] };
 * const logProbs = { ...same, referenceChosen: [-10, -20], referenceRejected: [-11, -19] };
 * const sums = createMetricSums();
 * addPairs(sums, { ...logProbs, ...dpoLoss(logProbs, { beta: 0.1 }) });
 * const metrics = meanMetrics(sums);
 * assert.equal(metrics["rewards/accuracies"], 0);
 * assert.equal(metrics.chosenPreference, 0.5);
 * assert.equal(metrics["logps/chosen"], -15);
 * ```
 */
export function meanMetrics({ sums, pairs, wins, ties }: MetricSums): PreferenceMetrics {
  if (pairs === 0) throw new RangeError("Cannot take the mean of metrics over no pairs");
  const means = Object.fromEntries(summed.map((key) => [key, roundSum(sums[key]) / pairs]));
  return {
    ...means as Record<typeof summed[number], number>,
    "rewards/accuracies": wins / pairs,
    "rewards/ties": ties / pairs,
    chosenPreference: (wins + ties / 2) / pairs,
    pairs,
  };
}
