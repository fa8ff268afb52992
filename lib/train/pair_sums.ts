import type { DpoLossResult, PairLogProbs } from "../loss/dpo_loss.ts";
import { wpoWeights } from "../loss/wpo_weights.ts";
import type { EncodedPair, TokenBatch } from "../types.ts";

/**
 * Log-probabilities, or another measure of tokens, summed over each item's responses, `[B]` in nats. A
 * tail is what of a sum comes from tokens beyond the length of the pair's shorter response.
 */
export type PairSums = {
  chosen: Float64Array;
  rejected: Float64Array;
  chosenTail: Float64Array;
  rejectedTail: Float64Array;
};

/** Sums whose vectors are made one by one. */
export function makeSums(make: (name: keyof PairSums) => Float64Array): PairSums {
  return {
    chosen: make("chosen"),
    rejected: make("rejected"),
    chosenTail: make("chosenTail"),
    rejectedTail: make("rejectedTail"),
  };
}

/** Sums a measure of tokens into those of the responses that they belong to. */
export function sumResponses(batch: TokenBatch, values: ArrayLike<number>): PairSums {
  const sums = makeSums(() => new Float64Array(batch.size)), isTail = tailTokens(batch);
  for (let i = 0; i < batch.items.length; i++) {
    const item = batch.items[i], side = batch.sides[i];
    if (side !== 2) sums.chosen[item] += values[i];
    if (side !== 1) sums.rejected[item] += values[i];
    if (isTail[i] && side === 1) sums.chosenTail[item] += values[i];
    if (isTail[i] && side === 2) sums.rejectedTail[item] += values[i];
  }
  return sums;
}

/** The slope of a loss with respect to each token's log-probability, from that to each response's. */
export function spreadSlopes(
  batch: TokenBatch,
  loss: Pick<
    DpoLossResult,
    "gradChosen" | "gradRejected" | "gradChosenTail" | "gradRejectedTail"
  >,
): Float32Array {
  const isTail = tailTokens(batch);
  return Float32Array.from(batch.items, (item, i) => {
    const side = batch.sides[i];
    const slope = (side !== 2 ? loss.gradChosen[item] : 0) +
      (side !== 1 ? loss.gradRejected[item] : 0);
    if (!isTail[i]) return slope;
    return slope + (side === 1 ? loss.gradChosenTail[item] : loss.gradRejectedTail[item]);
  });
}

/** Which predicted tokens lie beyond the length of the pair's shorter response. */
function tailTokens({ items, sides, size }: TokenBatch): Uint8Array {
  const lengths = [1, 2].map((side) => countTokens({ items, sides, size }, side));
  const seen = [1, 2].map(() => new Uint32Array(size));
  return Uint8Array.from(items, (item, i) => {
    const shorter = Math.min(lengths[0][item], lengths[1][item]), side = sides[i];
    if (side !== 2) seen[0][item]++;
    if (side !== 1) seen[1][item]++;
    return Number(side !== 0 && seen[side - 1][item] > shorter);
  });
}

/** Each item's predicted tokens on one side. */
function countTokens(
  { items, sides, size }: Pick<TokenBatch, "items" | "sides" | "size">,
  side: number,
): Uint32Array {
  const counts = new Uint32Array(size);
  items.forEach((item, i) => {
    if (sides[i] === 0 || sides[i] === side) counts[item]++;
  });
  return counts;
}

/**
 * What the loss sees of some pairs: both models' sums, how many tokens each response has, and weights
 * where `squares`, the sums of what `tokenSquares` gives the policy, are known.
 */
export function joinLogProbs(
  pairs: EncodedPair[],
  policy: PairSums,
  reference: PairSums,
  squares?: PairSums,
): PairLogProbs {
  const joined = {
    policyChosen: policy.chosen,
    policyRejected: policy.rejected,
    referenceChosen: reference.chosen,
    referenceRejected: reference.rejected,
    policyChosenTail: policy.chosenTail,
    policyRejectedTail: policy.rejectedTail,
    referenceChosenTail: reference.chosenTail,
    referenceRejectedTail: reference.rejectedTail,
    chosenTokens: pairs.map((pair) => pair.chosen.length),
    rejectedTokens: pairs.map((pair) => pair.rejected.length),
  };
  if (!squares) return joined;
  const { chosen: chosenSquares, rejected: rejectedSquares } = squares;
  return { ...joined, pairWeights: wpoWeights({ ...joined, chosenSquares, rejectedSquares }) };
}
