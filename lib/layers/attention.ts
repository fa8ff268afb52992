import * as tf from "@tensorflow/tfjs";
import {
  type AttentionGroup,
  type AttentionShape,
  softmaxBackward,
  trieSoftmax,
} from "./trie_softmax.ts";

/** One group's tensors for backward. A token's query heads that share a key head are neighbours. */
export type AttentionSaved = {
  /** `[count * KV, length, headDim]`, turned. */
  k: tf.Tensor3D;
  v: tf.Tensor3D;
  blocks: {
    /** `[count * KV, rows * share, headDim]`, scaled and turned. */
    q: tf.Tensor3D;
    /** Probabilities, `[count * KV, rows * share, keys]`. */
    p: tf.Tensor3D;
    /** What the heads return, shaped as `q`. */
    o: tf.Tensor3D;
  }[];
};

/**
 * Causal attention over the tries of a batch: `softmax(q k^T + mask) v`, a block of rows at a time
 * over the keys that it can see. `q` is `[N, heads, headDim]` (scaled), `k` and `v`
 * `[N, KV, headDim]`, the result `[N, heads * headDim]`. Keys and values are never repeated for GQA:
 * query heads that share a key head become rows of one product.
 */
export function attentionForward(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  groups: AttentionGroup[],
): { y: tf.Tensor2D; saved: AttentionSaved[] } {
  const shape = { heads: q.shape[1], keyValueHeads: k.shape[1], headDim: q.shape[2] };
  const share = shape.heads / shape.keyValueHeads;
  const saved = groups.map((group) => {
    const [gq, gk, gv] = [q, k, v].map((x) => toHeads(x, group, shape.keyValueHeads));
    const blocks = group.blocks.map((block) => {
      const { first, rows } = block, keys = first + rows;
      const bq = someRows(gq, first * share, rows * share);
      const scores = tf.matMul<tf.Tensor3D>(bq, someRows(gk, 0, keys), false, true);
      const p = trieSoftmax(scores, group, block);
      scores.dispose();
      return { q: bq, p, o: tf.matMul<tf.Tensor3D>(p, someRows(gv, 0, keys)) };
    });
    return { k: gk, v: gv, blocks };
  });
  return { y: attentionOutput(saved, groups, shape), saved };
}

/** The gradients of {@link attentionForward} with respect to `q`, `k` and `v`. */
export function attentionBackward(
  dy: tf.Tensor2D,
  saved: AttentionSaved[],
  groups: AttentionGroup[],
  { heads, keyValueHeads, headDim }: AttentionShape,
): { dq: tf.Tensor3D; dk: tf.Tensor3D; dv: tf.Tensor3D } {
  const d3 = tf.reshape<tf.Rank.R3>(dy, [dy.shape[0], heads, headDim]);
  const share = heads / keyValueHeads;
  const parts = groups.map((group, i) => {
    const { k, v, blocks } = saved[i];
    const dout = toHeads(d3, group, keyValueHeads);
    const gradients = group.blocks.map(({ first, rows }, b) => {
      const { q, p, o } = blocks[b], keys = first + rows;
      return tf.tidy(() => {
        const own = someRows(dout, first * share, rows * share);
        const dp = tf.matMul<tf.Tensor3D>(own, someRows(v, 0, keys), false, true);
        const ds = softmaxBackward(dp, p, own, o);
        dp.dispose();
        return {
          dq: tf.matMul<tf.Tensor3D>(ds, someRows(k, 0, keys)),
          dk: fill(tf.matMul(ds, q, true), group.length),
          dv: fill(tf.matMul(p, own, true), group.length),
        };
      });
    });
    const dq = concatAlong(gradients.map((block) => block.dq), 1);
    const [dk, dv] = (["dk", "dv"] as const).map((name) => {
      const sum = gradients.map((block) => block[name]);
      return sum.length === 1 ? sum[0] : tf.addN<tf.Tensor3D>(sum);
    });
    return [dq, dk, dv].map((x, j) => fromHeads(x, group, j === 0 ? heads : keyValueHeads));
  });
  const [dq, dk, dv] = [0, 1, 2].map((j) => concatAlong(parts.map((part) => part[j]), 0));
  return { dq, dk, dv };
}

/** {@link attentionForward}'s result, out of what was saved of it. */
export function attentionOutput(
  saved: AttentionSaved[],
  groups: AttentionGroup[],
  { heads, headDim }: AttentionShape,
): tf.Tensor2D {
  const parts = groups.map((group, i) => {
    const o = concatAlong(saved[i].blocks.map((block) => block.o), 1);
    return fromHeads(o, group, heads);
  });
  const rows = concatAlong(parts, 0);
  return tf.reshape(rows, [rows.shape[0], heads * headDim]);
}

/** `[N, H, headDim]` -> the group's rows as `[count * KV, length * H / KV, headDim]`. */
function toHeads(
  x: tf.Tensor3D,
  { offset, tokens, count, length, padding }: AttentionGroup,
  keyValueHeads: number,
): tf.Tensor3D {
  const [n, heads, headDim] = x.shape, width = (heads / keyValueHeads) * headDim;
  const rows = padding
    ? tf.gather(x, padding.slotTokens)
    : tokens === n
    ? x
    : tf.slice(x, [offset, 0, 0], [tokens, -1, -1]);
  const split = tf.reshape(rows, [count, length, keyValueHeads, width]);
  const turned = tf.transpose(split, [0, 2, 1, 3]); // [count, KV, length, width]
  return tf.reshape(turned, [count * keyValueHeads, (length * width) / headDim, headDim]);
}

/** The way back: `[tokens, H, headDim]`. */
function fromHeads(
  x: tf.Tensor3D,
  { count, length, padding }: AttentionGroup,
  heads: number,
): tf.Tensor3D {
  const [size, , headDim] = x.shape, keyValueHeads = size / count;
  const split = tf.reshape(x, [count, keyValueHeads, length, (heads / keyValueHeads) * headDim]);
  const turned = tf.transpose(split, [0, 2, 1, 3]);
  const rows = tf.reshape<tf.Rank.R3>(turned, [count * length, heads, headDim]);
  return padding ? tf.gather(rows, padding.tokenSlots) : rows;
}

/** Rows `first` to `first + count` of each matrix. */
function someRows(x: tf.Tensor3D, first: number, count: number): tf.Tensor3D {
  return count === x.shape[1] ? x : tf.slice(x, [0, first, 0], [-1, count, -1]);
}

/** Zeros below each matrix, up to `length` rows. */
function fill(x: tf.Tensor3D, length: number): tf.Tensor3D {
  const missing = length - x.shape[1];
  return missing === 0 ? x : tf.pad(x, [[0, 0], [0, missing], [0, 0]]);
}

function concatAlong(parts: tf.Tensor3D[], axis: number): tf.Tensor3D {
  return parts.length === 1 ? parts[0] : tf.concat(parts, axis);
}
