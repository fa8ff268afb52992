import * as tf from "@tensorflow/tfjs";

/** What {@link layerNormBackward} needs, both `[N, 1]`. */
export type LayerNormSaved = { mean: tf.Tensor2D; rstd: tf.Tensor2D };

/**
 * Layer norm, `y = (x - mean(x)) / sqrt(var(x) + epsilon) * weight + bias` (arXiv 1607.06450). `x` is
 * `[N, D]`, `weight` and `bias` `[D]`.
 */
export function layerNormForward(
  x: tf.Tensor2D,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  epsilon: number,
): { y: tf.Tensor2D; saved: LayerNormSaved } {
  return tf.tidy(() => {
    const mean = tf.mean<tf.Tensor2D>(x, -1, true), centred = tf.sub(x, mean);
    const variance = tf.tidy(() => tf.mean(tf.square(centred), -1, true));
    const rstd = tf.rsqrt<tf.Tensor2D>(tf.add(variance, epsilon));
    return { y: tf.add(tf.mul(tf.mul(centred, rstd), weight), bias), saved: { mean, rstd } };
  });
}

/** The norm again from what was stored of it. */
export function layerNormApply(
  x: tf.Tensor2D,
  saved: LayerNormSaved,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
): tf.Tensor2D {
  return tf.tidy(() => tf.add(tf.mul(normalised(x, saved), weight), bias));
}

/**
 * The gradients of {@link layerNormForward}: with `n = (x - mean) * rstd` and `dn = dy * weight`,
 * `dx = rstd * (dn - mean(dn) - n * mean(dn * n))`, `dweight = sum(dy * n)` and `dbias = sum(dy)`. What
 * a `residual` stream around the norm brings is added to `dx`.
 */
export function layerNormBackward(
  dy: tf.Tensor2D,
  x: tf.Tensor2D,
  saved: LayerNormSaved,
  weight: tf.Tensor1D,
  { weights, residual }: { weights: boolean; residual?: tf.Tensor2D },
): { dx: tf.Tensor2D; dweight?: tf.Tensor1D; dbias?: tf.Tensor1D } {
  return tf.tidy(() => {
    const n = normalised(x, saved), dn = tf.mul<tf.Tensor2D>(dy, weight);
    const inner = tf.add(tf.mul(n, tf.mean(tf.mul(dn, n), -1, true)), tf.mean(dn, -1, true));
    const dx = tf.mul<tf.Tensor2D>(saved.rstd, tf.sub(dn, inner));
    return {
      dx: residual ? tf.add(residual, dx) : dx,
      ...(weights && { dweight: tf.sum(tf.mul(dy, n), 0), dbias: tf.sum(dy, 0) }),
    };
  });
}

function normalised(x: tf.Tensor2D, { mean, rstd }: LayerNormSaved): tf.Tensor2D {
  return tf.tidy(() => tf.mul(tf.sub(x, mean), rstd));
}
