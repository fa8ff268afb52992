import * as tf from "@tensorflow/tfjs";

/** SiLU, `x sigmoid(x)`; or GELU by its tanh formula (arXiv 1606.08415), which GPT-2 calls `gelu_new`. */
export type Activation = "silu" | "gelu_tanh";

const ROOT = Math.sqrt(2 / Math.PI), CUBIC = 0.044715;

/** `f(x)`, elementwise. */
export function activate(x: tf.Tensor2D, kind: Activation): tf.Tensor2D {
  return tf.tidy(() =>
    kind === "silu"
      ? tf.mul(x, tf.sigmoid(x))
      : tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(geluInner(x)), 1))
  );
}

/**
 * `f(x)` with its slope. SiLU's is `s + a (1 - s)` with `s = sigmoid(x)` and `a = x s`; GELU's
 * `(1 + t) / 2 + x (1 - t^2) u' / 2` with `t = tanh(u)` and `u' = sqrt(2 / pi) (1 + 3 * 0.044715 x^2)`.
 */
export function activateWithSlope(
  x: tf.Tensor2D,
  kind: Activation,
): { a: tf.Tensor2D; slope: tf.Tensor2D } {
  return tf.tidy(() => {
    if (kind === "silu") {
      const s = tf.sigmoid(x), a = tf.mul<tf.Tensor2D>(x, s);
      return { a, slope: tf.add(s, tf.sub(a, tf.mul(a, s))) };
    }
    const t = tf.tidy(() => tf.tanh(geluInner(x)));
    const bent = tf.tidy(() => {
      const inner = tf.add(tf.mul(tf.square(x), 3 * CUBIC * ROOT), ROOT);
      return tf.mul(tf.mul(tf.mul(x, 0.5), tf.sub(1, tf.square(t))), inner);
    });
    const half = tf.mul<tf.Tensor2D>(tf.add(t, 1), 0.5);
    return { a: tf.mul(x, half), slope: tf.add(half, bent) };
  });
}

function geluInner(x: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => tf.mul(tf.mul(x, tf.add(tf.mul(tf.square(x), CUBIC), 1)), ROOT));
}
