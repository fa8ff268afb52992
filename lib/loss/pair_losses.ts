import { logSigmoid, sigmoid } from "./log_sigmoid.ts";

/** What one pair's loss is made of; log-probabilities in nats, summed over response tokens. */
export type PairScores = {
  /** `log pi_theta(y_w|x)`. */
  policyChosen: number;
  /** `log pi_theta(y_w|x) - log pi_ref(y_w|x)`. */
  chosenLogRatio: number;
  /** `log pi_theta(y_l|x) - log pi_ref(y_l|x)`. */
  rejectedLogRatio: number;
  /** Predicted tokens of `y_w`, EOS included. */
  chosenTokens: number;
  /** Predicted tokens of `y_l`, EOS included. */
  rejectedTokens: number;
};

/** The knobs of the losses; each loss reads those that its formula names. */
export type PairLossKnobs = {
  beta: number;
  labelSmoothing: number;
  dpopLambda: number;
  /** Chosen tokens a pair, on average over the batch: what turns `sft` into a mean over tokens. */
  meanChosenTokens: number;
};

/** A pair's loss and its derivatives with respect to the policy's two log-probabilities. */
export type PairLoss = { loss: number; dChosen: number; dRejected: number };

/** A loss of one pair: `(scores, knobs) -> loss and derivatives`. */
export type PairLossFunction = (scores: PairScores, knobs: PairLossKnobs) => PairLoss;

/** A loss `l(z)` of the scaled margin alone: the two derivatives are opposite. */
function ofMargin(loss: number, dMargin: number): PairLoss {
  return { loss, dChosen: dMargin, dRejected: -dMargin };
}

const scaledMargin = (scores: PairScores, beta: number) =>
  beta * (scores.chosenLogRatio - scores.rejectedLogRatio);

/**
 * `-(1 - eps) log sigma(z) - eps log sigma(-z)` with `z = beta * margin`.
 *
 * **Source**: arXiv 2305.18290, Eq. 7 (eps = 0); E. Mitchell, "A note on DPO with noisy preferences"
 * (cDPO), Eq. 3 (eps = `labelSmoothing`, the share of pairs believed to be labelled the wrong way).
 */
export function sigmoidLoss(scores: PairScores, knobs: PairLossKnobs): PairLoss {
  const { beta, labelSmoothing: eps } = knobs;
  const z = scaledMargin(scores, beta);
  // At eps = 0 the second term is left out: 0 * Infinity is not a number.
  const flipped = eps === 0 ? 0 : eps * logSigmoid(-z);
  return ofMargin(
    -(1 - eps) * logSigmoid(z) - flipped,
    beta * (eps * sigmoid(z) - (1 - eps) * sigmoid(-z)),
  );
}

/**
 * `(-(1 - eps) log sigma(z) + eps log sigma(-z)) / (1 - 2 eps)`: unbiased when a share eps of the
 * pairs is labelled the wrong way.
 *
 * **Source**: arXiv 2403.00409 (robust DPO), as TRL 1.16 has it.
 */
export function robustLoss(scores: PairScores, knobs: PairLossKnobs): PairLoss {
  const { beta, labelSmoothing: eps } = knobs;
  const z = scaledMargin(scores, beta);
  return ofMargin(
    (eps * logSigmoid(-z) - (1 - eps) * logSigmoid(z)) / (1 - 2 * eps),
    -beta * ((1 - eps) * sigmoid(-z) + eps * sigmoid(z)) / (1 - 2 * eps),
  );
}

/**
 * `max(0, 1 - z)` with `z = beta * margin`.
 *
 * **Source**: arXiv 2305.10425 (SLiC-HF), on DPO's margin as TRL 1.16 has it.
 */
export function hingeLoss(scores: PairScores, { beta }: PairLossKnobs): PairLoss {
  const slack = 1 - scaledMargin(scores, beta);
  return ofMargin(Math.max(0, slack), slack > 0 ? -beta : slack <= 0 ? 0 : NaN);
}

/**
 * `(h - 1 / (2 beta))^2`, where `h` is the difference of the log-ratios, each divided by its tokens.
 *
 * **Source**: arXiv 2310.12036, Eq. 17; the mean over tokens as TRL 1.16 has it.
 */
export function ipoLoss(scores: PairScores, { beta }: PairLossKnobs): PairLoss {
  const { chosenTokens, rejectedTokens } = scores;
  const h = scores.chosenLogRatio / chosenTokens - scores.rejectedLogRatio / rejectedTokens;
  const error = h - 1 / (2 * beta);
  return {
    loss: error * error,
    dChosen: 2 * error / chosenTokens,
    dRejected: -2 * error / rejectedTokens,
  };
}

/**
 * DPO-Positive: `-log sigma(beta * (margin - lambda * max(0, -chosenLogRatio)))`, which punishes a
 * chosen answer that becomes less likely than under the reference.
 *
 * **Source**: arXiv 2402.13228.
 */
export function dpopLoss(scores: PairScores, { beta, dpopLambda }: PairLossKnobs): PairLoss {
  const { chosenLogRatio, rejectedLogRatio } = scores;
  const penalty = dpopLambda * Math.max(0, -chosenLogRatio);
  const z = beta * (chosenLogRatio - rejectedLogRatio - penalty);
  const dz = -sigmoid(-z);
  return {
    loss: -logSigmoid(z),
    dChosen: dz * beta * (chosenLogRatio < 0 ? 1 + dpopLambda : 1),
    dRejected: -dz * beta,
  };
}

/**
 * Negative log-likelihood of the chosen answers, as a mean over all chosen tokens of the batch: a
 * pair's share is its own sum over the batch's mean number of chosen tokens.
 *
 * **Source**: TRL 1.16, loss type `sft`; arXiv 2404.19733 (its NLL term beside DPO).
 */
export function sftLoss(scores: PairScores, { meanChosenTokens }: PairLossKnobs): PairLoss {
  return {
    loss: -scores.policyChosen / meanChosenTokens,
    dChosen: -1 / meanChosenTokens,
    dRejected: 0,
  };
}
