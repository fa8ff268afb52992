import * as tf from "@tensorflow/tfjs";
import { fusedKernels } from "../backend/fused_kernels.ts";
import { activate, activateWithSlope, type Activation } from "./activation.ts";

/** A gated MLP's middle (SwiGLU, GEGLU; arXiv 2002.05202, Eq. 6): `f(gate) * up`, all `[N, F]`. */
export function gatedForward(
  gate: tf.Tensor2D,
  up: tf.Tensor2D,
  kind: Activation = "silu",
): tf.Tensor2D {
  const fused = kind === "silu" ? fusedKernels() : null;
  return fused?.gated(gate, up) ?? tf.tidy(() => tf.mul(activate(gate, kind), up));
}

/** The gradients of {@link gatedForward}: `dup = dy * f(gate)` and `dgate = dy * up * f'(gate)`. */
export function gatedBackward(
  dy: tf.Tensor2D,
  gate: tf.Tensor2D,
  up: tf.Tensor2D,
  kind: Activation = "silu",
): { dgate: tf.Tensor2D; dup: tf.Tensor2D } {
  const fused = kind === "silu" ? fusedKernels() : null;
  if (fused) {
    const [dgate, dup] = fused.gatedGrad(dy, gate, up);
    return { dgate, dup };
  }
  return tf.tidy(() => {
    const { a, slope } = activateWithSlope(gate, kind);
    return { dgate: tf.mul(tf.mul(dy, up), slope), dup: tf.mul(dy, a) };
  });
}
