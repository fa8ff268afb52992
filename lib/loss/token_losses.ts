/** Losses that count tokens: means over an answer, or over a batch. */
import { logSigmoid, sigmoid } from "./log_sigmoid.ts";
import type { PairLoss, PairLossKnobs, PairScores } from "./pair_loss.ts";

/**
 * `(h - 1 / (2 beta))^2`, where `h` is the difference of the scores, each divided by its tokens.
 *
 * **Source**: arXiv 2310.12036, Eq. 17; the mean over tokens as TRL 1.16 has it.
 */
export function ipoLoss(scores: PairScores, { beta }: PairLossKnobs): PairLoss {
  const error = meanMargin(scores) - 1 / (2 * beta);
  return ofMeans(scores, error * error, 2 * error);
}

/**
 * `-log sigma(beta h)`, where `h` is the difference of the scores, each divided by its tokens: a
 * longer answer has no longer lever.
 *
 * **Source**: arXiv 2411.15124 (Tulu 3), Eq. 6.
 */
export function sigmoidNormLoss(scores: PairScores, { beta }: PairLossKnobs): PairLoss {
  const z = beta * meanMargin(scores);
  return ofMeans(scores, -logSigmoid(z), -beta * sigmoid(-z));
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
    dChosen: 0,
    dRejected: 0,
    dPolicyChosen: -1 / meanChosenTokens,
  };
}

function meanMargin(scores: PairScores): number {
  return scores.chosenScore / scores.chosenTokens - scores.rejectedScore / scores.rejectedTokens;
}

/** A loss of {@link meanMargin} with its slope. */
function ofMeans(scores: PairScores, loss: number, slope: number): PairLoss {
  const { chosenTokens, rejectedTokens } = scores;
  return { loss, dChosen: slope / chosenTokens, dRejected: -slope / rejectedTokens };
}
