import * as tf from "@tensorflow/tfjs";

/** SwiGLU's middle (arXiv 2002.05202, Eq. 6): `silu(gate) * up`, all `[N, F]`. */
export function gatedForward(gate: tf.Tensor2D, up: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(tf.mul(gate, tf.sigmoid(gate)), up);
}

/**
 * The gradients of {@link gatedForward}, and its output again, so that it need not be kept:
 * with `s = sigmoid(gate)` and `a = gate * s`, `dup = dy * a` and
 * `dgate = dy * up * (s + a * (1 - s))`.
 */
export function gatedBackward(
  dy: tf.Tensor2D,
  gate: tf.Tensor2D,
  up: tf.Tensor2D,
): { dgate: tf.Tensor2D; dup: tf.Tensor2D } {
  const s = tf.sigmoid(gate);
  const a = tf.mul<tf.Tensor2D>(gate, s);
  const slope = tf.add(s, tf.sub(a, tf.mul(a, s)));
  return { dgate: tf.mul(tf.mul(dy, up), slope), dup: tf.mul(dy, a) };
}
