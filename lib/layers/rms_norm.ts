import * as tf from "@tensorflow/tfjs";
import { fusedKernels } from "../backend/fused_kernels.ts";

/**
 * Root-mean-square norm, `y = x / sqrt(mean(x^2) + epsilon) * weight` (arXiv 1910.07467, Eq. 4).
 * `x` is `[N, D]`, `weight` `[D]`; `rstd` `[N, 1]` is what backward needs.
 */
export function rmsNormForward(
  x: tf.Tensor2D,
  weight: tf.Tensor1D,
  epsilon: number,
): { y: tf.Tensor2D; rstd: tf.Tensor2D } {
  const fused = fusedKernels();
  if (fused) {
    const [y, rstd] = fused.rmsNorm(x, weight, epsilon);
    return { y, rstd };
  }
  const rstd = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon)) as tf.Tensor2D;
  return { y: rmsNormApply(x, rstd, weight), rstd };
}

/** The norm again from a stored `rstd`: two products instead of a kept tensor. */
export function rmsNormApply(
  x: tf.Tensor2D,
  rstd: tf.Tensor2D,
  weight: tf.Tensor1D,
): tf.Tensor2D {
  return tf.mul(tf.mul(x, rstd), weight);
}

/**
 * The gradients of {@link rmsNormForward}: with `n = x * rstd` and `dn = dy * weight`,
 * `dx = rstd * (dn - n * mean(dn * n))` and `dweight = sum(dy * n)`. What a `residual` stream around
 * the norm brings is added to `dx`.
 */
export function rmsNormBackward(
  dy: tf.Tensor2D,
  x: tf.Tensor2D,
  rstd: tf.Tensor2D,
  weight: tf.Tensor1D,
  { weights, residual }: { weights: boolean; residual?: tf.Tensor2D },
): { dx: tf.Tensor2D; dweight?: tf.Tensor1D } {
  const dweight = weights ? tf.sum<tf.Tensor1D>(tf.mul(dy, tf.mul(x, rstd)), 0) : undefined;
  const fused = fusedKernels();
  if (fused) return { dx: fused.rmsNormGrad(dy, x, rstd, weight, residual), dweight };
  const n = tf.mul<tf.Tensor2D>(x, rstd);
  const dn = tf.mul<tf.Tensor2D>(dy, weight);
  const inner = tf.mean(tf.mul(dn, n), -1, true);
  const dx = tf.mul<tf.Tensor2D>(rstd, tf.sub(dn, tf.mul(n, inner)));
  return { dx: residual ? tf.add(residual, dx) : dx, dweight };
}
