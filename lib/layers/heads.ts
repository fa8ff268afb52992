import * as tf from "@tensorflow/tfjs";
import { fusedKernels } from "../backend/fused_kernels.ts";
import type { AttentionGroup, AttentionLayout, AttentionShape } from "./attention_layout.ts";
import { ropeBackward, ropeForward, type RopeTables } from "./rope.ts";

type Rows = { first: number; rows: number };

/**
 * Lays `x` `[N, KV * share * headDim]` out by sequence and key head. The function that is returned
 * gives some rows of a group, `[count * KV, rows * share, headDim]`: heads that share a key head
 * become rows of one matrix. With `tables` each head is turned by its position. Slots of padding
 * hold what must not be read.
 */
export function splitHeads(
  x: tf.Tensor2D,
  { layout: { groups, isFull }, shape: { keyValueHeads, headDim } }: {
    layout: AttentionLayout;
    shape: AttentionShape;
  },
  tables?: RopeTables,
): (group: AttentionGroup, rows: Rows) => tf.Tensor3D {
  const heads = x.shape[1] / headDim, share = heads / keyValueHeads;
  const fused = fusedKernels();
  if (fused) {
    const size = { keyHeads: keyValueHeads, share };
    return ({ slots, length }, { first, rows }) =>
      fused.toHeads(x, slots, tables, { ...size, headDim, length, first, rows });
  }
  const split = tf.reshape<tf.Rank.R3>(x, [x.shape[0], heads, headDim]);
  const turned = tables ? ropeForward(split, tables) : split;
  const isInOrder = isFull && groups.length === 1, whole = new Map<AttentionGroup, tf.Tensor3D>();
  return (group, { first, rows }) => {
    const { count, length, slots } = group;
    const all = whole.get(group) ?? (() => {
      const picked = isInOrder ? turned : tf.gather(turned, slots);
      const matrix = tf.reshape(picked, [count, length, keyValueHeads, share * headDim]);
      const byHead = tf.transpose(matrix, [0, 2, 1, 3]); // [count, KV, length, share * headDim]
      return tf.reshape<tf.Rank.R3>(byHead, [count * keyValueHeads, length * share, headDim]);
    })();
    whole.set(group, all);
    return rows === length ? all : tf.slice(all, [0, first * share, 0], [-1, rows * share, -1]);
  };
}

/**
 * The way back of {@link splitHeads}: from all blocks of all groups to `[N, heads * headDim]`. The
 * blocks are the rows of queries, or, with `ofKeys`, sums to be: each begins at its sequence's start,
 * and a token's number is the sum over those that reach it. With `tables` each head is turned back.
 */
export function joinHeads(
  blocks: tf.Tensor3D[][],
  layout: AttentionLayout,
  { keyValueHeads, ofKeys = false, tables }: {
    keyValueHeads: number;
    ofKeys?: boolean;
    tables?: RopeTables;
  },
): tf.Tensor2D {
  const { groups, places, blockFirsts, zeros, isFull, tokenSlots } = layout;
  const fused = fusedKernels();
  if (fused) {
    const share = ofKeys ? 1 : blocks[0][0].shape[1] / groups[0].blocks[0].rows;
    const firsts = ofKeys ? zeros : blockFirsts;
    return fused.fromHeads(blocks.flat(), places, firsts, tables, {
      keyHeads: keyValueHeads,
      share,
    });
  }
  const parts = groups.map(({ count, length }, g) => {
    const whole = ofKeys
      ? addAll(blocks[g].map((block) => fill(block, length)))
      : concatAlong(blocks[g], 1);
    const [, rows, headDim] = whole.shape, width = rows / length * headDim;
    const byHead = tf.reshape(whole, [count, keyValueHeads, length, width]);
    const matrix = tf.transpose(byHead, [0, 2, 1, 3]);
    return tf.reshape<tf.Rank.R3>(matrix, [
      count * length,
      keyValueHeads * width / headDim,
      headDim,
    ]);
  });
  const all = concatAlong(parts, 0);
  const split = isFull ? all : tf.gather(all, tokenSlots);
  const turned = tables ? ropeBackward(split, tables) : split;
  const [tokens, heads, headDim] = turned.shape;
  return tf.reshape(turned, [tokens, heads * headDim]);
}

/** Zeros below each matrix, up to `length` rows. */
function fill(x: tf.Tensor3D, length: number): tf.Tensor3D {
  const missing = length - x.shape[1];
  return missing === 0 ? x : tf.pad(x, [[0, 0], [0, missing], [0, 0]]);
}

function addAll(parts: tf.Tensor3D[]): tf.Tensor3D {
  return parts.length === 1 ? parts[0] : tf.addN<tf.Tensor3D>(parts);
}

function concatAlong(parts: tf.Tensor3D[], axis: number): tf.Tensor3D {
  return parts.length === 1 ? parts[0] : tf.concat(parts, axis);
}
