import { logSigmoid, sigmoid } from "./log_sigmoid.ts";

/** What a policy's distance from the reference is measured by, as TRL names it. */
export const F_DIVERGENCES = [
  "reverse_kl",
  "forward_kl",
  "js_divergence",
  "alpha_divergence",
] as const;

/** The name of an f-divergence, see {@link divergenceScore}. */
export type FDivergence = typeof F_DIVERGENCES[number];

/** An answer's score, and its derivative with respect to the log-ratio. */
export type Score = { score: number; slope: number };

/** Exponents above this are cut, as TRL 1.16 cuts alpha's: the score is finite and stands still. */
const LARGEST_EXPONENT = 80;

/**
 * An answer's score `f'(t)` from its log-ratio `log t = log pi_theta(y|x) - log pi_ref(y|x)`: what
 * DPO becomes when another divergence than the reverse KL holds the policy to the reference.
 *
 * | name               | `f'(t)`                                                      |
 * | ------------------ | ------------------------------------------------------------ |
 * | `reverse_kl`       | `log t`: DPO itself                                          |
 * | `forward_kl`       | `1 - 1/t`: alpha 0                                           |
 * | `js_divergence`    | `log 2 + log sigma(log t)`                                   |
 * | `alpha_divergence` | `(t^(alpha - 1) - 1) / (alpha - 1)`; alpha 1 is `reverse_kl` |
 *
 * **Source**: arXiv 2309.16240 (f-DPO), in the form of TRL 1.16, whose alpha is 1 less the paper's;
 * constants are left out, for only the difference of two scores counts.
 * **Units**: nats in and out.
 *
 * @param type The divergence's name.
 * @param logRatio `log t`.
 * @param alpha Read by `alpha_divergence` alone.
 *
 * @example Under the forward KL an answer can't gain much by becoming likelier, but lose.
 * ```ts
 * import assert from "node:assert/strict";
 * import { divergenceScore } from "./f_divergence.ts";
 * const [gained, lost] = [3, -3].map((ratio) => divergenceScore("forward_kl", ratio, 0).score);
 * assert(gained < 1 && lost < -19);
 * ```
 */
export function divergenceScore(type: FDivergence, logRatio: number, alpha: number): Score {
  if (type === "js_divergence") {
    return { score: Math.LN2 + logSigmoid(logRatio), slope: sigmoid(-logRatio) };
  }
  if (type === "forward_kl") return alphaScore(logRatio, 0);
  if (type === "alpha_divergence") return alphaScore(logRatio, alpha);
  return { score: logRatio, slope: 1 };
}

function alphaScore(logRatio: number, alpha: number): Score {
  const power = alpha - 1, exponent = power * logRatio;
  if (Math.abs(power) < 1e-6) return { score: logRatio, slope: 1 };
  return {
    score: Math.expm1(Math.min(exponent, LARGEST_EXPONENT)) / power,
    slope: exponent > LARGEST_EXPONENT ? 0 : Math.exp(exponent),
  };
}
