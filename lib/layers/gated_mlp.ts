import * as tf from "@tensorflow/tfjs";
import { fusedKernels } from "../backend/fused_kernels.ts";

/** SwiGLU's middle (arXiv 2002.05202, Eq. 6): `silu(gate) * up`, all `[N, F]`. */
export function gatedForward(gate: tf.Tensor2D, up: tf.Tensor2D): tf.Tensor2D {
  return fusedKernels()?.gated(gate, up) ?? tf.mul(tf.mul(gate, tf.sigmoid(gate)), up);
}

/**
 * The gradients of {@link gatedForward}: with `s = sigmoid(gate)` and `a = gate * s`, `dup = dy * a`
 * and `dgate = dy * up * (s + a * (1 - s))`.
 */
export function gatedBackward(
  dy: tf.Tensor2D,
  gate: tf.Tensor2D,
  up: tf.Tensor2D,
): { dgate: tf.Tensor2D; dup: tf.Tensor2D } {
  const fused = fusedKernels();
  if (fused) {
    const [dgate, dup] = fused.gatedGrad(dy, gate, up);
    return { dgate, dup };
  }
  const s = tf.sigmoid(gate);
  const a = tf.mul<tf.Tensor2D>(gate, s);
  const slope = tf.add(s, tf.sub(a, tf.mul(a, s)));
  return { dgate: tf.mul(tf.mul(dy, up), slope), dup: tf.mul(dy, a) };
}
