/** The logistic function 1 / (1 + exp(-z)); never overflows. */
export function sigmoid(z: number): number {
  const small = Math.exp(-Math.abs(z));
  return z >= 0 ? 1 / (1 + small) : small / (1 + small);
}

/**
 * The logarithm of the logistic function: `log sigma(z) = min(z, 0) - log(1 + exp(-|z|))`, exact in
 * both tails, where the plain formula gives 0 or -Infinity.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { logSigmoid } from "./log_sigmoid.ts";
 * assert.equal(logSigmoid(-10_000), -10_000);
 * assert.equal(logSigmoid(0), -Math.LN2);
 * ```
 */
export function logSigmoid(z: number): number {
  return Math.min(z, 0) - Math.log1p(Math.exp(-Math.abs(z)));
}
