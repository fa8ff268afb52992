import * as tf from "@tensorflow/tfjs";
import { fusedKernels } from "../backend/fused_kernels.ts";

/** Keys and values of one layer, both `[B * KV, T, headDim]`. */
export type KeyValues = { k: tf.Tensor3D; v: tf.Tensor3D };

/**
 * A layer's cache in two pieces: the long `past`, and `recent`, which grows by one token a step, so
 * that a step copies the short piece only.
 */
export type KeyValueCache = { past: KeyValues; recent?: KeyValues };

/**
 * Attention of one new token a sequence over everything cached. `q` is `[B, heads, headDim]`
 * (scaled), `k` and `v` `[B, KV, headDim]`, `mask` `[B * KV, 1, T]` hides the past's padding. The
 * result is `[B, heads * headDim]`, with the recent piece that now holds the new token.
 */
export function cachedAttention(
  q: tf.Tensor3D,
  { k, v }: KeyValues,
  { past, recent }: KeyValueCache,
  mask: tf.Tensor3D,
): { y: tf.Tensor2D; recent: KeyValues } {
  const [size, heads, headDim] = q.shape, rows = size * k.shape[1];
  const fused = fusedKernels();
  if (fused) {
    const none = recent ? null : tf.zeros<tf.Rank.R3>([rows, 0, headDim]);
    const before = recent ?? { k: none!, v: none! };
    const [y, ...next] = fused.cachedAttention(q, { k, v }, past, mask, before);
    return { y, recent: { k: next[0], v: next[1] } };
  }
  const grow = (old: tf.Tensor3D | undefined, x: tf.Tensor3D) => {
    const one = tf.reshape<tf.Rank.R3>(x, [rows, 1, headDim]);
    return old ? tf.concat([old, one], 1) : one;
  };
  const next = { k: grow(recent?.k, k), v: grow(recent?.v, v) };
  const query = tf.reshape<tf.Rank.R3>(q, [rows, heads / k.shape[1], headDim]);
  const scores = tf.concat([
    tf.add(tf.matMul<tf.Tensor3D>(query, past.k, false, true), mask),
    tf.matMul<tf.Tensor3D>(query, next.k, false, true),
  ], 2);
  const p = tf.softmax(scores), length = past.k.shape[1];
  const y = tf.add(
    tf.matMul(tf.slice(p, [0, 0, 0], [-1, -1, length]), past.v),
    tf.matMul(tf.slice(p, [0, 0, length], [-1, -1, -1]), next.v),
  );
  return { y: tf.reshape(y, [size, heads * headDim]), recent: next };
}

/** Moves `recent` into `past`. The pieces that went in are the caller's to free. */
export function mergeCache({ past, recent }: KeyValueCache): KeyValueCache {
  if (!recent) return { past };
  return {
    past: { k: tf.concat([past.k, recent.k], 1), v: tf.concat([past.v, recent.v], 1) },
  };
}
