import type { PairLogProbs } from "./dpo_loss.ts";

/** What {@link wpoWeights} needs of a batch, each `[B]`. */
export type WpoInputs =
  & Pick<PairLogProbs, "policyChosen" | "policyRejected">
  & Required<Pick<PairLogProbs, "chosenTokens" | "rejectedTokens">>
  & {
    /** `log sum_v pi_theta(v|x, y_<t)^2`, summed over the tokens of each chosen answer. */
    chosenSquares: ArrayLike<number>;
    /** The same of each rejected answer. */
    rejectedSquares: ArrayLike<number>;
  };

/**
 * A weight for each pair: how likely the policy itself is to write its two answers,
 * `w(x, y_w) * w(x, y_l)` with `w(x, y) = exp(mean_t(log pi(y_t) - log sum_v pi(v)^2))`. An answer
 * whose tokens are as likely as draws from the policy are on average weighs 1. No gradient passes
 * through a weight.
 *
 * **Source**: arXiv 2406.11827 (WPO), Eq. 2, as TRL 1.16 has it.
 * **Shapes and dtypes**: vectors `[B]` in, Float64Array `[B]` out.
 * **Units**: nats in, no unit out.
 *
 * @example A policy that finds each of four tokens equally likely.
 * ```ts
 * import assert from "node:assert/strict";
 * import { wpoWeights } from "./wpo_weights.ts";
 * const [logP, logSquares] = [Math.log(1 / 4), Math.log(4 * (1 / 4) ** 2)];
 * const [weight] = wpoWeights({
 *   policyChosen: [3 * logP],
 *   policyRejected: [2 * logP],
 *   chosenSquares: [3 * logSquares],
 *   rejectedSquares: [2 * logSquares],
 *   chosenTokens: [3],
 *   rejectedTokens: [2],
 * });
 * assert.equal(weight, 1);
 * ```
 */
export function wpoWeights(inputs: WpoInputs): Float64Array {
  const { policyChosen, policyRejected, chosenSquares, rejectedSquares } = inputs;
  return Float64Array.from(policyChosen, (chosen, i) => {
    const ofChosen = (chosen - chosenSquares[i]) / inputs.chosenTokens[i];
    const ofRejected = (policyRejected[i] - rejectedSquares[i]) / inputs.rejectedTokens[i];
    return Math.exp(ofChosen + ofRejected);
  });
}
