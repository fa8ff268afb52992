import {
  chooseLosses,
  type ChosenLosses,
  comparesPairs,
  type LossOptions,
} from "./loss_options.ts";
import type { PairLoss, PairScores } from "./pair_loss.ts";

/**
 * Summed log-probabilities of a batch of pairs in nats, each `[B]`. A tail is the part of a sum that
 * comes from tokens beyond the length of the pair's shorter answer.
 */
export type PairLogProbs = {
  policyChosen: ArrayLike<number>;
  policyRejected: ArrayLike<number>;
  referenceChosen: ArrayLike<number>;
  referenceRejected: ArrayLike<number>;
  /** Predicted tokens of each chosen answer; `ipo`, `sigmoid_norm` and `sft` need them. */
  chosenTokens?: ArrayLike<number>;
  /** Predicted tokens of each rejected answer; `ipo` and `sigmoid_norm` need them. */
  rejectedTokens?: ArrayLike<number>;
  /** Of `policyChosen` the tail; `ldAlpha` needs all four. */
  policyChosenTail?: ArrayLike<number>;
  policyRejectedTail?: ArrayLike<number>;
  referenceChosenTail?: ArrayLike<number>;
  referenceRejectedTail?: ArrayLike<number>;
  /** A factor for each pair, from `wpoWeights`; `useWeighting` needs it. */
  pairWeights?: ArrayLike<number>;
};

/** Options of {@link dpoLoss}. */
export type DpoLossOptions = LossOptions & {
  /** Pairs of the whole batch, where this call sees a part of it; B unless given. */
  totalPairs?: number;
  /** Chosen tokens of the whole batch, where this call sees a part of it (`sft`). */
  totalChosenTokens?: number;
};

/** Result of {@link dpoLoss}; all vectors are `[B]`. */
export type DpoLossResult = {
  /** A pair's loss; the sum over all pairs of the batch, divided by `totalPairs`, is its loss. */
  losses: Float64Array;
  /** This call's share of the batch loss: sum of `losses` over `totalPairs`. */
  loss: number;
  /** `beta * (log pi_theta - log pi_ref)` of the chosen answers, as the loss sees them. */
  chosenRewards: Float64Array;
  /** The same of the rejected answers. */
  rejectedRewards: Float64Array;
  /** d batch loss / d `policyChosen`. */
  gradChosen: Float64Array;
  /** d batch loss / d `policyRejected`. */
  gradRejected: Float64Array;
  /** d batch loss / d `policyChosenTail`, what it does through `policyChosen` aside. */
  gradChosenTail: Float64Array;
  /** d batch loss / d `policyRejectedTail`. */
  gradRejectedTail: Float64Array;
};

/**
 * Computes the DPO loss of a batch, or one of its variants or a weighted sum of them, with rewards
 * and the gradient with respect to the policy's log-probabilities.
 *
 * For `sigmoid`: `L = -log sigma(beta * ((log pi(y_w|x) - log pi(y_l|x)) - (log ref(y_w|x) - log
 * ref(y_l|x))))`. A policy that equals the reference gives ln 2 whatever the data. Finite at any finite
 * margin. Parts of a batch add up to the whole exactly when each call is told `totalPairs` (and
 * `totalChosenTokens` for `sft`), which is what gradient accumulation needs; `aot` and `aot_unpaired`
 * compare a batch's pairs with each other and want it whole.
 *
 * **Source**: arXiv 2305.18290, Eq. 7; the variants' formulas and sources stand at {@link lossTypes}.
 * **Shapes and dtypes**: vectors `[B]` of any number type in, new Float64Arrays `[B]` out.
 * **Units**: log-probabilities in nats, summed over response tokens with EOS, without the prompt.
 * **Memory**: inputs are only read; results are the caller's.
 *
 * @param logProbs What policy and reference give the pairs.
 * @param options `beta` and the choice of loss.
 * @returns Losses, rewards and gradients.
 * @throws {UserError} If an option is out of its range, a loss is unknown, or two options don't go
 * together.
 * @throws {RangeError} If vectors differ in length, are empty or lack what a loss needs, or a part of a
 * batch is given to a loss that needs it whole.
 *
 * @example The policy likes the first pair more than the reference does, the second less.
 * ```ts
 * import assert from "node:assert/strict";
 * import { dpoLoss } from "./dpo_loss.ts";
 * const { losses, chosenRewards, gradChosen } = dpoLoss({
 *   policyChosen: [-10, -12],
 *   policyRejected: [-30, -12],
 *   referenceChosen: [-10.1, -10],
 *   referenceRejected: [-20.1, -10],
 * }, { beta: 0.1 });
 * assert.equal(losses[0].toFixed(6), "0.313262"); // softplus(-0.1 * 10)
 * assert.equal(losses[1].toFixed(6), "0.693147"); // both fell by 2 nats: the margin is 0
 * assert.equal(chosenRewards[1].toFixed(2), "-0.20"); // which the reward shows
 * assert.equal(gradChosen[1], -0.1 / 2 / 2); // -beta * sigma(0), over two pairs
 * ```
 */
export function dpoLoss(logProbs: PairLogProbs, options: DpoLossOptions): DpoLossResult {
  const chosen = chooseLosses(options), { terms, tailLeftOut } = chosen;
  const size = checkLengths(logProbs, chosen), { totalPairs = size } = options;
  if (totalPairs !== size && comparesPairs(options)) {
    const found = `${size} of ${totalPairs} pairs`;
    throw new RangeError(
      `Cannot compute loss: ${options.lossType} needs a whole batch, found ${found}`,
    );
  }
  const knobs = { ...chosen.knobs, meanChosenTokens: meanChosenTokens(logProbs, options) };
  const pairs = Array.from({ length: size }, (_, i) => scorePair(logProbs, i, chosen));
  const sums = pairs.map(() => ({ loss: 0, dChosen: 0, dRejected: 0, dPolicyChosen: 0 }));
  for (const { entry, weight } of terms) {
    const losses = "batchLoss" in entry
      ? entry.batchLoss(pairs, knobs)
      : pairs.map((pair) => entry.loss(pair, knobs));
    const { pairWeights } = chosen.useWeighting ? logProbs : {};
    losses.forEach((loss, i) => addLoss(sums[i], loss, weight * (pairWeights?.[i] ?? 1)));
  }
  const vector = (value: (i: number) => number) => Float64Array.from(sums, (_, i) => value(i));
  const losses = vector((i) => sums[i].loss);
  const dChosen = vector((i) => sums[i].dChosen * pairs[i].chosenSlope / totalPairs);
  const dRejected = vector((i) => sums[i].dRejected * pairs[i].rejectedSlope / totalPairs);
  return {
    losses,
    loss: losses.reduce((sum, loss) => sum + loss, 0) / totalPairs,
    chosenRewards: vector((i) => knobs.beta * pairs[i].chosenLogRatio),
    rejectedRewards: vector((i) => knobs.beta * pairs[i].rejectedLogRatio),
    gradChosen: vector((i) => dChosen[i] + sums[i].dPolicyChosen / totalPairs),
    gradRejected: dRejected,
    gradChosenTail: vector((i) => -tailLeftOut * dChosen[i]),
    gradRejectedTail: vector((i) => -tailLeftOut * dRejected[i]),
  };
}

function addLoss(sum: Required<PairLoss>, added: PairLoss, weight: number): void {
  sum.loss += weight * added.loss;
  sum.dChosen += weight * added.dChosen;
  sum.dRejected += weight * added.dRejected;
  sum.dPolicyChosen += weight * (added.dPolicyChosen ?? 0);
}

type ScoredPair = PairScores & {
  chosenLogRatio: number;
  rejectedLogRatio: number;
  /** d score / d log-ratio. */
  chosenSlope: number;
  rejectedSlope: number;
};

/** What the losses see of a pair: sums less what is left out of their tails, ratios, scores. */
function scorePair(logProbs: PairLogProbs, i: number, chosen: ChosenLosses): ScoredPair {
  const { tailLeftOut, score } = chosen;
  const seen = (side: Side) =>
    tailLeftOut === 0
      ? logProbs[side][i]
      : logProbs[side][i] - tailLeftOut * logProbs[`${side}Tail`]![i];
  const [policyChosen, policyRejected] = [seen("policyChosen"), seen("policyRejected")];
  const [referenceChosen, referenceRejected] = [seen("referenceChosen"), seen("referenceRejected")];
  const chosenLogRatio = policyChosen - referenceChosen;
  const rejectedLogRatio = policyRejected - referenceRejected;
  const [ofChosen, ofRejected] = [score(chosenLogRatio), score(rejectedLogRatio)];
  return {
    policyChosen: logProbs.policyChosen[i],
    chosenLogRatio,
    rejectedLogRatio,
    chosenScore: ofChosen.score,
    rejectedScore: ofRejected.score,
    chosenSlope: ofChosen.slope,
    rejectedSlope: ofRejected.slope,
    policyMargin: policyChosen - policyRejected,
    referenceMargin: referenceChosen - referenceRejected,
    chosenTokens: logProbs.chosenTokens?.[i] ?? NaN,
    rejectedTokens: logProbs.rejectedTokens?.[i] ?? NaN,
  };
}

const SIDES = ["policyChosen", "policyRejected", "referenceChosen", "referenceRejected"] as const;
type Side = typeof SIDES[number];

/** The mean over all chosen tokens is the mean over pairs of a pair's sum over this. */
function meanChosenTokens(
  { chosenTokens = [], policyChosen }: PairLogProbs,
  { totalChosenTokens, totalPairs = policyChosen.length }: DpoLossOptions,
): number {
  return (totalChosenTokens ?? Array.from(chosenTokens).reduce((a, b) => a + b, 0)) / totalPairs;
}

/** The number of pairs, after checking that every vector has it. */
function checkLengths(logProbs: PairLogProbs, { terms, ...chosen }: ChosenLosses): number {
  const size = logProbs.policyChosen.length;
  if (size === 0) throw new RangeError("Cannot compute loss: the batch holds no pairs");
  const needed: (keyof PairLogProbs)[] = [...SIDES];
  if (terms.some(({ entry }) => entry.needsTokens)) needed.push("chosenTokens", "rejectedTokens");
  if (chosen.tailLeftOut > 0) needed.push(...SIDES.map((side) => `${side}Tail` as const));
  if (chosen.useWeighting) needed.push("pairWeights");
  for (const name of new Set([...needed, ...Object.keys(logProbs) as (keyof PairLogProbs)[]])) {
    const vector = logProbs[name];
    if (vector?.length === size || (vector === undefined && !needed.includes(name))) continue;
    throw new RangeError(
      `Cannot compute loss: ${name} must hold ${size}, found ${vector?.length}`,
    );
  }
  return size;
}
