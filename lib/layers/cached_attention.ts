import * as tf from "@tensorflow/tfjs";
import { fusedKernels } from "../backend/fused_kernels.ts";

/** Keys and values of one layer, both `[B * KV, T, headDim]`. */
export type KeyValues = { k: tf.Tensor3D; v: tf.Tensor3D };

/**
 * A layer's cache in two pieces: the long `past`, and `recent`, which grows by one token a step, so
 * that a step copies the short piece only.
 */
export type KeyValueCache = { past: KeyValues; recent?: KeyValues };

/** What hides cached tokens, both `[B * KV, 1, ...]`: the past's padding, and what lies before a window. */
export type CacheMasks = { past: tf.Tensor3D; recent?: tf.Tensor3D };

/**
 * Attention of one new token a sequence over everything cached. `q` is `[B, heads, headDim]`
 * (scaled), `k` and `v` `[B, KV, headDim]`. The result is `[B, heads * headDim]`, with the recent piece
 * that now holds the new token.
 */
export function cachedAttention(
  q: tf.Tensor3D,
  { k, v }: KeyValues,
  { past, recent }: KeyValueCache,
  masks: CacheMasks,
): { y: tf.Tensor2D; recent: KeyValues } {
  const [size, heads, headDim] = q.shape, rows = size * k.shape[1];
  const fused = masks.recent ? null : fusedKernels(); // a window that cuts recent keys is rare
  if (fused) {
    const none = recent ? null : tf.zeros<tf.Rank.R3>([rows, 0, headDim]);
    const before = recent ?? { k: none!, v: none! };
    const [y, ...next] = fused.cachedAttention(q, { k, v }, past, masks.past, before);
    return { y, recent: { k: next[0], v: next[1] } };
  }
  const grow = (old: tf.Tensor3D | undefined, x: tf.Tensor3D) => {
    const one = tf.reshape<tf.Rank.R3>(x, [rows, 1, headDim]);
    return old ? tf.concat([old, one], 1) : one;
  };
  const next = { k: grow(recent?.k, k), v: grow(recent?.v, v) };
  const query = tf.reshape<tf.Rank.R3>(q, [rows, heads / k.shape[1], headDim]);
  const recently = tf.matMul<tf.Tensor3D>(query, next.k, false, true);
  const scores = tf.concat([
    tf.add(tf.matMul<tf.Tensor3D>(query, past.k, false, true), masks.past),
    masks.recent ? tf.add(recently, masks.recent) : recently,
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
