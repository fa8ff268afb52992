import * as tf from "@tensorflow/tfjs";
import { fusedKernels } from "../backend/fused_kernels.ts";
import type { AttentionBlock, AttentionGroup } from "./attention_layout.ts";

/**
 * Probabilities from the scores of one block, both `[count * KV, rows * share, keys]`: the softmax
 * over the keys that a token sees, 0 elsewhere. Row `r` is token `first + r / share`.
 */
export function trieSoftmax(
  scores: tf.Tensor3D,
  { count, length, segments }: AttentionGroup,
  { first, rows, mask }: AttentionBlock,
): tf.Tensor3D {
  const [size, perHead, keys] = scores.shape, keyHeads = size / count;
  const block = { keyHeads, share: perHead / rows, length, first };
  const fused = fusedKernels();
  if (fused && !mask) return fused.trieSoftmax(scores, segments, block);
  return tf.tidy(() => {
    const byCount = tf.reshape(scores, [count, keyHeads, perHead, keys]);
    const masked = tf.reshape<tf.Rank.R3>(tf.add(byCount, mask!), scores.shape);
    return fused?.trieSoftmax(masked, segments, block) ?? tf.softmax(masked);
  });
}

/**
 * The gradient of {@link trieSoftmax}, `p * (dp - sum(dp * p))`, where the row sum is taken as
 * `sum(dout * out)` of attention's result: the same number from far fewer terms. `dp` and `p` are
 * `[B, R, keys]`, `dout` and `out` `[B, R, headDim]`.
 */
export function softmaxBackward(
  dp: tf.Tensor3D,
  p: tf.Tensor3D,
  dout: tf.Tensor3D,
  out: tf.Tensor3D,
): tf.Tensor3D {
  return fusedKernels()?.softmaxGrad(dp, p, dout, out) ??
    tf.mul(tf.sub(dp, tf.sum(tf.mul(dout, out), -1, true)), p);
}
