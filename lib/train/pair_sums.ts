import type { PairLogProbs } from "../loss/dpo_loss.ts";
import type { EncodedPair, TokenBatch } from "../types.ts";

/** Summed log-probabilities of each item's responses, `[B]` in nats. */
export type PairSums = { chosen: Float64Array; rejected: Float64Array };

/** Sums the tokens' log-probabilities into those of the responses that they belong to. */
export function sumResponses(batch: TokenBatch, logProbs: ArrayLike<number>): PairSums {
  const chosen = new Float64Array(batch.size), rejected = new Float64Array(batch.size);
  for (let i = 0; i < batch.items.length; i++) {
    const item = batch.items[i], side = batch.sides[i];
    if (side !== 2) chosen[item] += logProbs[i];
    if (side !== 1) rejected[item] += logProbs[i];
  }
  return { chosen, rejected };
}

/** The slope of a loss with respect to each token's log-probability, from that to each response's. */
export function spreadSlopes(
  batch: TokenBatch,
  gradChosen: ArrayLike<number>,
  gradRejected: ArrayLike<number>,
): Float32Array {
  return Float32Array.from(batch.items, (item, i) => {
    const side = batch.sides[i];
    return (side !== 2 ? gradChosen[item] : 0) + (side !== 1 ? gradRejected[item] : 0);
  });
}

/** What the loss sees of some pairs: both models' sums, and how many tokens each response has. */
export function joinLogProbs(
  pairs: EncodedPair[],
  policy: PairSums,
  reference: PairSums,
): PairLogProbs {
  return {
    policyChosen: policy.chosen,
    policyRejected: policy.rejected,
    referenceChosen: reference.chosen,
    referenceRejected: reference.rejected,
    chosenTokens: pairs.map((pair) => pair.chosen.length),
    rejectedTokens: pairs.map((pair) => pair.rejected.length),
  };
}
