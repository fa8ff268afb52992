import { UserError } from "../errors.ts";
import { type LossEntry, type LossType, lossTypes } from "./loss_types.ts";
import type { PairLossKnobs, PairScores } from "./pair_losses.ts";

/** Summed log-probabilities of a batch of pairs in nats, each `[B]`. */
export type PairLogProbs = {
  policyChosen: ArrayLike<number>;
  policyRejected: ArrayLike<number>;
  referenceChosen: ArrayLike<number>;
  referenceRejected: ArrayLike<number>;
  /** Predicted tokens of each chosen answer; `ipo` and `sft` need them. */
  chosenTokens?: ArrayLike<number>;
  /** Predicted tokens of each rejected answer; `ipo` needs them. */
  rejectedTokens?: ArrayLike<number>;
};

/** Options of {@link dpoLoss}. */
export type DpoLossOptions = {
  /** Larger holds the policy closer to the reference; 0.1 is usual. */
  beta: number;
  /** One loss or several, see {@link lossTypes}; "sigmoid" (DPO) unless given. */
  lossType?: LossType | LossType[];
  /** A weight above 0 for each of several losses; all 1 unless given. */
  lossWeights?: number[];
  /** Share of pairs believed to be labelled the wrong way, 0 unless given (`sigmoid`, `robust` alone). */
  labelSmoothing?: number;
  /** Strength of DPO-Positive's penalty, 50 unless given (`dpop`). */
  dpopLambda?: number;
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
  /** `beta * (log pi_theta - log pi_ref)` of the chosen answers. */
  chosenRewards: Float64Array;
  /** The same of the rejected answers. */
  rejectedRewards: Float64Array;
  /** d batch loss / d `policyChosen`. */
  gradChosen: Float64Array;
  /** d batch loss / d `policyRejected`. */
  gradRejected: Float64Array;
};

/**
 * Computes the DPO loss of a batch, or one of its variants or a weighted sum of them, with rewards and
 * the gradient with respect to the policy's log-probabilities.
 *
 * For `sigmoid`: `L = -log sigma(beta * ((log pi(y_w|x) - log pi(y_l|x)) - (log ref(y_w|x) - log
 * ref(y_l|x))))`. A policy that equals the reference gives ln 2 whatever the data. Finite at any finite
 * margin. Parts of a batch add up to the whole exactly when each call is told `totalPairs` (and
 * `totalChosenTokens` for `sft`), which is what gradient accumulation needs.
 *
 * **Source**: arXiv 2305.18290, Eq. 7; the variants name theirs in `pair_losses.ts`.
 * **Shapes and dtypes**: vectors `[B]` of any number type in, new Float64Arrays `[B]` out.
 * **Units**: log-probabilities in nats, summed over response tokens with EOS, without the prompt.
 * **Memory**: inputs are only read; results are the caller's.
 *
 * @param logProbs What policy and reference give the pairs.
 * @param options `beta` and the choice of loss.
 * @returns Losses, rewards and gradients.
 * @throws {UserError} If an option is out of its range or a loss is unknown.
 * @throws {RangeError} If vectors differ in length, are empty, or lack the tokens that a loss needs.
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
  const terms = chooseLosses(options);
  checkSmoothing(terms, options);
  const size = checkLengths(logProbs, terms);
  const knobs = chooseKnobs(logProbs, options);
  const totalPairs = options.totalPairs ?? size;
  const [losses, chosenRewards, rejectedRewards, gradChosen, gradRejected] = Array.from(
    { length: 5 },
    () => new Float64Array(size),
  );
  for (let i = 0; i < size; i++) {
    const scores = scorePair(logProbs, i);
    chosenRewards[i] = knobs.beta * scores.chosenLogRatio;
    rejectedRewards[i] = knobs.beta * scores.rejectedLogRatio;
    for (const { entry, weight } of terms) {
      const { loss, dChosen, dRejected } = entry.loss(scores, knobs);
      losses[i] += weight * loss;
      gradChosen[i] += weight * dChosen / totalPairs;
      gradRejected[i] += weight * dRejected / totalPairs;
    }
  }
  const loss = losses.reduce((sum, loss) => sum + loss, 0) / totalPairs;
  return { losses, loss, chosenRewards, rejectedRewards, gradChosen, gradRejected };
}

type Term = { entry: LossEntry; weight: number };

function chooseLosses({ lossType = "sigmoid", lossWeights }: DpoLossOptions): Term[] {
  const names = Array.isArray(lossType) ? lossType : [lossType];
  const weights = lossWeights ?? names.map(() => 1);
  if (names.length === 0 || names.length !== weights.length) {
    throw new UserError(
      `Cannot combine losses: each of loss_type needs one of loss_weights, found ${names.length} ` +
        `(${names.join(",")}) and ${weights.length} (${weights.join(",")})`,
      { field: "loss_weights" },
    );
  }
  return names.map((name, i) => {
    if (!Object.hasOwn(lossTypes, name)) {
      const known = Object.keys(lossTypes).join(", ");
      throw new UserError(
        `Cannot compute loss: loss_type must be one of ${known}, found "${name}"`,
        {
          field: "loss_type",
        },
      );
    }
    if (!(weights[i] > 0 && weights[i] < Infinity)) {
      fail("loss_weights", "finite numbers above 0", weights[i]);
    }
    return { entry: lossTypes[name], weight: weights[i] };
  });
}

/** Refuses a share of wrong labels that no loss would read. */
function checkSmoothing(terms: Term[], { labelSmoothing = 0 }: DpoLossOptions): void {
  if (labelSmoothing === 0 || terms.some(({ entry }) => entry.smooths)) return;
  const entries = Object.entries<LossEntry>(lossTypes);
  const readers = entries.filter(([, { smooths }]) => smooths).map(([name]) => name).join(" or ");
  const found = entries.filter(([, entry]) => terms.some((term) => term.entry === entry));
  throw new UserError(
    `Cannot compute loss: label_smoothing ${labelSmoothing} would have no effect: it needs ` +
      `loss_type ${readers}, found ${found.map(([name]) => name).join(",")}`,
    { field: "label_smoothing" },
  );
}

function chooseKnobs(logProbs: PairLogProbs, options: DpoLossOptions): PairLossKnobs {
  const { beta, labelSmoothing = 0, dpopLambda = 50 } = options;
  if (!(beta > 0 && beta < Infinity)) fail("beta", "a number above 0", beta);
  if (!(labelSmoothing >= 0 && labelSmoothing < 0.5)) {
    fail("label_smoothing", "at least 0 and below 0.5", labelSmoothing);
  }
  if (!(dpopLambda >= 0 && dpopLambda < Infinity)) fail("dpop_lambda", "0 or more", dpopLambda);
  const { chosenTokens = [] } = logProbs;
  const total = options.totalChosenTokens ?? Array.from(chosenTokens).reduce((a, b) => a + b, 0);
  const pairs = options.totalPairs ?? logProbs.policyChosen.length;
  return { beta, labelSmoothing, dpopLambda, meanChosenTokens: total / pairs };
}

function fail(field: string, wanted: string, found: number): never {
  throw new UserError(`Cannot compute loss: ${field} must be ${wanted}, found ${found}`, { field });
}

/** The number of pairs, after checking that every vector has it. */
function checkLengths(logProbs: PairLogProbs, terms: Term[]): number {
  const size = logProbs.policyChosen.length;
  if (size === 0) throw new RangeError("Cannot compute loss: the batch holds no pairs");
  const needsTokens = terms.some(({ entry }) => entry.needsTokens);
  for (const [name, vector] of Object.entries({ ...emptyTokens, ...logProbs })) {
    if (vector === undefined && !needsTokens) continue;
    if (vector?.length !== size) {
      throw new RangeError(
        `Cannot compute loss: ${name} must hold ${size}, found ${vector?.length}`,
      );
    }
  }
  return size;
}

const emptyTokens = { chosenTokens: undefined, rejectedTokens: undefined };

function scorePair(logProbs: PairLogProbs, i: number): PairScores {
  return {
    policyChosen: logProbs.policyChosen[i],
    chosenLogRatio: logProbs.policyChosen[i] - logProbs.referenceChosen[i],
    rejectedLogRatio: logProbs.policyRejected[i] - logProbs.referenceRejected[i],
    chosenTokens: logProbs.chosenTokens?.[i] ?? NaN,
    rejectedTokens: logProbs.rejectedTokens?.[i] ?? NaN,
  };
}
