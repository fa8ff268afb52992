/**
 * Scales gradients down together so that their common norm is at most `maxNorm`.
 *
 * `norm = sqrt(sum of squares over all arrays)`; where `c = maxNorm / (norm + 1e-6)` is below 1, every
 * gradient is multiplied by c. A norm that is not finite is returned as it is and the gradients are
 * left alone: the caller must not take that step.
 *
 * **Source**: arXiv 1211.5063, Algorithm 1, as `torch.nn.utils.clip_grad_norm_` has it.
 * **Shapes and dtypes**: float32 arrays of any length, the norm summed in float64.
 * **Memory**: `gradients` are changed in place.
 *
 * @param gradients One array a parameter, changed in place.
 * @param maxNorm The largest norm that passes; Infinity only measures.
 * @returns The norm before scaling.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { clipByGlobalNorm } from "./clip.ts";
 * const gradients = [new Float32Array([3]), new Float32Array([4])];
 * assert.equal(clipByGlobalNorm(gradients, 1), 5);
 * assert.deepEqual(gradients.map(([g]) => g.toFixed(3)), ["0.600", "0.800"]);
 * ```
 */
export function clipByGlobalNorm(gradients: readonly Float32Array[], maxNorm: number): number {
  let squares = 0;
  for (const gradient of gradients) {
    for (let i = 0; i < gradient.length; i++) squares += gradient[i] * gradient[i];
  }
  const norm = Math.sqrt(squares);
  const scale = maxNorm / (norm + 1e-6);
  if (scale < 1 && Number.isFinite(norm)) {
    for (const gradient of gradients) {
      for (let i = 0; i < gradient.length; i++) gradient[i] *= scale;
    }
  }
  return norm;
}
