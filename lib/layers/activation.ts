import * as tf from "@tensorflow/tfjs";

/** SiLU, `x sigmoid(x)`; or GELU by its tanh formula (arXiv 1606.08415), which GPT-2 calls `gelu_new`. */
export type Activation = "silu" | "gelu_tanh";

const ROOT = Math.sqrt(2 / Math.PI), CUBIC = 0.044715;

/** `f(x)`, elementwise. */
export function activate(x: tf.Tensor2D, kind: Activation): tf.Tensor2D {
  if (kind === "silu") return tf.mul(x, tf.sigmoid(x));
  return tf.mul(tf.mul(x, 0.5), tf.add(geluTanh(x), 1));
}

/**
 * `f(x)` with its slope. SiLU's is `s + a (1 - s)` with `s = sigmoid(x)` and `a = x s`; GELU's
 * `(1 + t) / 2 + x (1 - t^2) u' / 2` with `t = tanh(u)` and `u' = sqrt(2 / pi) (1 + 3 * 0.044715 x^2)`.
 */
export function activateWithSlope(
  x: tf.Tensor2D,
  kind: Activation,
): { a: tf.Tensor2D; slope: tf.Tensor2D } {
  if (kind === "silu") {
    const s = tf.sigmoid(x), a = tf.mul<tf.Tensor2D>(x, s);
    return { a, slope: tf.add(s, tf.sub(a, tf.mul(a, s))) };
  }
  const t = geluTanh(x), half = tf.mul(x, 0.5), both = tf.add(t, 1);
  const inner = tf.add(tf.mul(tf.square(x), 3 * CUBIC * ROOT), ROOT);
  const bent = tf.mul(tf.mul(half, tf.sub(1, tf.square(t))), inner);
  return { a: tf.mul(half, both), slope: tf.add(tf.mul(both, 0.5), bent) };
}

function geluTanh(x: tf.Tensor2D): tf.Tensor2D {
  return tf.tanh(tf.mul(tf.mul(x, tf.add(tf.mul(tf.square(x), CUBIC), 1)), ROOT));
}
