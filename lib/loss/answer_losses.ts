/**
 * Losses that look at each answer by itself, not at the margin alone. Here `c` and `r` are the
 * log-ratios of policy and reference: of the chosen answer and of the rejected one.
 */
import { logSigmoid, sigmoid } from "./log_sigmoid.ts";
import { ofAnswers, type PairLoss, type PairLossKnobs, type PairScores } from "./pair_loss.ts";

/**
 * `-log sigma(beta c) - 1/2 log sigma(-beta c) - 1/2 log sigma(-beta r)`: lifts the chosen answer,
 * and holds both down a little, so that the chosen one's likelihood does not fall with the other.
 *
 * **Source**: arXiv 2402.05369 (NCA) for two answers with hard labels, as TRL 1.16 has it.
 */
export function ncaPairLoss(scores: PairScores, { beta }: PairLossKnobs): PairLoss {
  const [c, r] = [beta * scores.chosenScore, beta * scores.rejectedScore];
  return ofAnswers({
    loss: -logSigmoid(c) - 0.5 * logSigmoid(-c),
    slope: beta * (0.5 * sigmoid(c) - sigmoid(-c)),
  }, { loss: -0.5 * logSigmoid(-r), slope: beta * 0.5 * sigmoid(r) });
}

/**
 * `-log sigma(beta c) - log sigma(-beta r)`: a classifier that calls chosen answers good and rejected
 * ones bad.
 *
 * **Source**: arXiv 2404.04656 (BCO) without its reward shift, as TRL 1.16 has it: earlier TRL
 * subtracted a running mean of the rewards, this one does not, so there is no state between steps.
 */
export function bcoPairLoss(scores: PairScores, { beta }: PairLossKnobs): PairLoss {
  const [c, r] = [beta * scores.chosenScore, beta * scores.rejectedScore];
  return ofAnswers(
    { loss: -logSigmoid(c), slope: -beta * sigmoid(-c) },
    { loss: -logSigmoid(-r), slope: beta * sigmoid(r) },
  );
}

/**
 * `(c - 1/(2 beta))^2 + (r + 1/(2 beta))^2`: a target for each answer, as if the chosen one always
 * won.
 *
 * **Source**: arXiv 2405.00675 (SPPO), Eq. 4.7 with win probabilities 1 and 0.
 */
export function sppoHardLoss(scores: PairScores, { beta }: PairLossKnobs): PairLoss {
  const [c, r] = [scores.chosenScore - 0.5 / beta, scores.rejectedScore + 0.5 / beta];
  return ofAnswers({ loss: c * c, slope: 2 * c }, { loss: r * r, slope: 2 * r });
}

/**
 * `1 - sigma(beta c) + sigma(beta r)`: for chosen answers that are better than what the model writes.
 *
 * **Source**: arXiv 2408.06266 (APO), Eq. 7.
 */
export function apoZeroLoss(scores: PairScores, { beta }: PairLossKnobs): PairLoss {
  const [c, r] = [beta * scores.chosenScore, beta * scores.rejectedScore];
  return ofAnswers(
    { loss: sigmoid(-c), slope: -beta * steepness(c) },
    { loss: sigmoid(r), slope: beta * steepness(r) },
  );
}

/**
 * `sigma(beta c) + 1 - sigma(beta (c - r))`: for chosen answers that are worse than what the model
 * writes; both fall, the rejected one further.
 *
 * **Source**: arXiv 2408.06266 (APO), Eq. 8.
 */
export function apoDownLoss(scores: PairScores, { beta }: PairLossKnobs): PairLoss {
  const { chosenScore, rejectedScore } = scores;
  const c = beta * chosenScore, z = beta * (chosenScore - rejectedScore);
  return {
    loss: sigmoid(c) + sigmoid(-z),
    dChosen: beta * (steepness(c) - steepness(z)),
    dRejected: beta * steepness(z),
  };
}

/**
 * DPO-Positive: `-log sigma(beta (c - r - lambda max(0, -c)))`, which punishes a chosen answer that
 * becomes less likely than under the reference.
 *
 * **Source**: arXiv 2402.13228.
 */
export function dpopLoss(scores: PairScores, { beta, dpopLambda }: PairLossKnobs): PairLoss {
  const { chosenScore, rejectedScore } = scores;
  const penalty = dpopLambda * Math.max(0, -chosenScore);
  const z = beta * (chosenScore - rejectedScore - penalty);
  const dz = -sigmoid(-z);
  return {
    loss: -logSigmoid(z),
    dChosen: dz * beta * (chosenScore < 0 ? 1 + dpopLambda : 1),
    dRejected: -dz * beta,
  };
}

/** The logistic function's own slope. */
function steepness(z: number): number {
  return sigmoid(z) * sigmoid(-z);
}
