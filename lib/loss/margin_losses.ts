/** Losses of the scaled margin `z = beta * (chosen score - rejected score)` alone. */
import { logSigmoid, sigmoid } from "./log_sigmoid.ts";
import {
  ofMargin,
  type PairLoss,
  type PairLossKnobs,
  type PairScores,
  scaledMargin,
} from "./pair_loss.ts";

/**
 * `-(1 - eps) log sigma(z) - eps log sigma(-z)`.
 *
 * **Source**: arXiv 2305.18290, Eq. 7 (eps = 0); E. Mitchell, "A note on DPO with noisy preferences"
 * (cDPO), Eq. 3 (eps = `labelSmoothing`, the share of pairs believed to be labelled the wrong way).
 */
export function sigmoidLoss(scores: PairScores, knobs: PairLossKnobs): PairLoss {
  const { loss, slope } = smoothedSigmoid(scaledMargin(scores, knobs.beta), knobs.labelSmoothing);
  return ofMargin(loss, knobs.beta * slope);
}

/** `-(1 - eps) log sigma(z) - eps log sigma(-z)` with its slope. */
export function smoothedSigmoid(z: number, eps: number): { loss: number; slope: number } {
  // At eps = 0 the second term is left out: 0 * Infinity is not a number.
  const flipped = eps === 0 ? 0 : eps * logSigmoid(-z);
  return {
    loss: -(1 - eps) * logSigmoid(z) - flipped,
    slope: eps * sigmoid(z) - (1 - eps) * sigmoid(-z),
  };
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
 * `max(0, 1 - z)`.
 *
 * **Source**: arXiv 2305.10425 (SLiC-HF), on DPO's margin as TRL 1.16 has it.
 */
export function hingeLoss(scores: PairScores, { beta }: PairLossKnobs): PairLoss {
  const slack = 1 - scaledMargin(scores, beta);
  return ofMargin(Math.max(0, slack), slack > 0 ? -beta : slack <= 0 ? 0 : NaN);
}

/**
 * `q (log q - log(1 - eps)) + (1 - q) (log(1 - q) - log eps)` with `q = sigma(z)`: the divergence of
 * the policy's preference from the labels', taken the other way round than in DPO.
 *
 * **Source**: arXiv 2402.00856 (EXO), Eq. 16 for two answers; eps is `labelSmoothing`.
 */
export function exoPairLoss(scores: PairScores, knobs: PairLossKnobs): PairLoss {
  const { beta, labelSmoothing: eps } = knobs;
  const z = scaledMargin(scores, beta), [q, rest] = [sigmoid(z), sigmoid(-z)];
  const [logRight, logWrong] = [Math.log1p(-eps), Math.log(eps)];
  return ofMargin(
    q * (logSigmoid(z) - logRight) + rest * (logSigmoid(-z) - logWrong),
    beta * q * rest * (z - (logRight - logWrong)),
  );
}

/**
 * `(1 - s) (-log sigma(z)) + s exp(-z)` with `s = sigma(z / tau)`: a loss that a language model
 * found. At tau 0.05 it rises with z from -0.12 to 0.07, so that from z = 0 a pair is pulled the wrong
 * way first; from tau 0.11 on it always falls.
 *
 * **Source**: arXiv 2406.08414 (DiscoPOP), Eq. 5; tau is `discopopTau`.
 */
export function discopopLoss(scores: PairScores, knobs: PairLossKnobs): PairLoss {
  const { beta, discopopTau: tau } = knobs;
  const z = scaledMargin(scores, beta), [s, rest] = [sigmoid(z / tau), sigmoid(-z / tau)];
  // s exp(-z) as one exponential: alone, exp(-z) is endless where s is 0.
  const blended = Math.exp(logSigmoid(z / tau) - z);
  return ofMargin(
    -rest * logSigmoid(z) + blended,
    beta * (s * rest / tau * logSigmoid(z) - rest * sigmoid(-z) + blended * (rest / tau - 1)),
  );
}
