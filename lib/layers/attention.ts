import * as tf from "@tensorflow/tfjs";
import type { TokenBatch } from "../types.ts";

/** How wide attention is: query heads, key/value heads (fewer under GQA, arXiv 2305.13245), head size. */
export type AttentionShape = { heads: number; keyValueHeads: number; headDim: number };

/** A run of `count` sequences of `length` tokens with its additive mask, `[count, 1, length, length]`. */
export type AttentionGroup = { offset: number; count: number; length: number; mask: tf.Tensor4D };

/** One group's tensors for backward; the queries of one key head stand below each other. */
export type AttentionSaved = {
  /** `[count * KV, (heads / KV) * length, headDim]`, scaled and turned. */
  q: tf.Tensor3D;
  /** `[count * KV, length, headDim]`, turned. */
  k: tf.Tensor3D;
  v: tf.Tensor3D;
  /** Probabilities, `[count * KV, (heads / KV) * length, length]`. */
  p: tf.Tensor3D;
  /** What the heads return, shaped as `q`. */
  o: tf.Tensor3D;
};

const BLOCKED = -1e9;

/** Makes each group's mask: a token sees its trunk and its own tail, up to itself. */
export function attentionGroups(
  batch: Pick<TokenBatch, "groups" | "segments">,
): AttentionGroup[] {
  return batch.groups.map((group) => {
    const { offset, count, length } = group;
    const mask = new Float32Array(count * length * length);
    for (let item = 0, at = 0; item < count; item++) {
      const start = offset + item * length;
      for (let i = 0; i < length; i++) {
        const own = batch.segments[start + i];
        for (let j = 0; j < length; j++, at++) {
          const other = batch.segments[start + j];
          const seen = j === i || (j < i && own !== 255 && (other === 0 || other === own));
          if (!seen) mask[at] = BLOCKED;
        }
      }
    }
    return { ...group, mask: tf.tensor4d(mask, [count, 1, length, length]) };
  });
}

/**
 * Causal attention over the tries of a batch: `softmax(q k^T + mask) v`, a group at a time.
 * `q` is `[N, heads, headDim]` (scaled), `k` and `v` `[N, KV, headDim]`, the result
 * `[N, heads * headDim]`. Keys and values are never repeated for GQA: query heads that share a key
 * head become rows of one product.
 */
export function attentionForward(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  groups: AttentionGroup[],
): { y: tf.Tensor2D; saved: AttentionSaved[] } {
  const shape = { heads: q.shape[1], keyValueHeads: k.shape[1], headDim: q.shape[2] };
  const saved: AttentionSaved[] = [];
  const outputs = groups.map((group) => {
    const [gq, gk, gv] = [q, k, v].map((x) => toHeads(x, group, shape.keyValueHeads));
    const p = probabilities(gq, gk, group, shape);
    const o = tf.matMul<tf.Tensor3D>(p, gv);
    saved.push({ q: gq, k: gk, v: gv, p, o });
    return fromHeads(o, group, shape.heads);
  });
  const y = tf.reshape<tf.Rank.R2>(concatRows(outputs), [q.shape[0], shape.heads * shape.headDim]);
  return { y, saved };
}

/**
 * The gradients of {@link attentionForward} with respect to `q`, `k` and `v`. The softmax's row sum
 * `sum(dp * p)` is taken as `sum(do * o)`, which is the same number from far fewer terms.
 */
export function attentionBackward(
  dy: tf.Tensor2D,
  saved: AttentionSaved[],
  groups: AttentionGroup[],
  { heads, keyValueHeads, headDim }: AttentionShape,
): { dq: tf.Tensor3D; dk: tf.Tensor3D; dv: tf.Tensor3D } {
  const d3 = tf.reshape<tf.Rank.R3>(dy, [dy.shape[0], heads, headDim]);
  const parts = groups.map((group, i) => {
    const { q, k, v, p, o } = saved[i];
    const dout = toHeads(d3, group, keyValueHeads);
    const dv = tf.matMul<tf.Tensor3D>(p, dout, true);
    const dp = tf.matMul<tf.Tensor3D>(dout, v, false, true);
    const ds = tf.mul<tf.Tensor3D>(tf.sub(dp, tf.sum(tf.mul(dout, o), -1, true)), p);
    const dq = tf.matMul<tf.Tensor3D>(ds, k);
    const dk = tf.matMul<tf.Tensor3D>(ds, q, true);
    return [
      fromHeads(dq, group, heads),
      fromHeads(dk, group, keyValueHeads),
      fromHeads(dv, group, keyValueHeads),
    ];
  });
  const [dq, dk, dv] = [0, 1, 2].map((j) => concatRows(parts.map((part) => part[j])));
  return { dq, dk, dv };
}

function probabilities(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  { count, length, mask }: AttentionGroup,
  { heads }: AttentionShape,
): tf.Tensor3D {
  const scores = tf.matMul<tf.Tensor3D>(q, k, false, true);
  const masked = tf.add(tf.reshape(scores, [count, heads, length, length]), mask);
  return tf.reshape(tf.softmax(masked), scores.shape);
}

/** A saved `o` in the layout of {@link attentionForward}'s result, `[N, heads * headDim]`. */
export function attentionOutput(
  saved: AttentionSaved[],
  groups: AttentionGroup[],
  { heads, headDim }: AttentionShape,
): tf.Tensor2D {
  const rows = concatRows(groups.map((group, i) => fromHeads(saved[i].o, group, heads)));
  return tf.reshape(rows, [rows.shape[0], heads * headDim]);
}

/** `[N, H, headDim]` -> the group's rows as `[count * KV, (H / KV) * length, headDim]`. */
function toHeads(
  x: tf.Tensor3D,
  { offset, count, length }: AttentionGroup,
  keyValueHeads: number,
): tf.Tensor3D {
  const [n, heads, headDim] = x.shape;
  const rows = count * length === n ? x : tf.slice(x, [offset, 0, 0], [count * length, -1, -1]);
  const split = tf.reshape(rows, [count, length, heads, headDim]);
  const turned = tf.transpose(split, [0, 2, 1, 3]); // [count, H, length, headDim]
  return tf.reshape(turned, [count * keyValueHeads, (heads / keyValueHeads) * length, headDim]);
}

/** The way back: `[count * length, H, headDim]`. */
function fromHeads(
  x: tf.Tensor3D,
  { count, length }: AttentionGroup,
  heads: number,
): tf.Tensor3D {
  const headDim = x.shape[2];
  const turned = tf.transpose(tf.reshape(x, [count, heads, length, headDim]), [0, 2, 1, 3]);
  return tf.reshape(turned, [count * length, heads, headDim]);
}

function concatRows(parts: tf.Tensor3D[]): tf.Tensor3D {
  return parts.length === 1 ? parts[0] : tf.concat(parts, 0);
}
