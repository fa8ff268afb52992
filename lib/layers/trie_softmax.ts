import * as tf from "@tensorflow/tfjs";
import { fusedKernels } from "../backend/fused_kernels.ts";
import type { TokenBatch } from "../types.ts";

/** How wide attention is: query heads, key/value heads (fewer under GQA, arXiv 2305.13245), head size. */
export type AttentionShape = { heads: number; keyValueHeads: number; headDim: number };

/** The queries of `rows` tokens from `first` on; none of them sees a key behind `first + rows`. */
export type AttentionBlock = {
  first: number;
  rows: number;
  /** Additive, `[count, 1, rows * share, first + rows]`; null where a fused kernel needs none. */
  mask: tf.Tensor4D | null;
};

/** `count` sequences, padded to `length` tokens, and the blocks that their attention runs in. */
export type AttentionGroup = {
  /** The group's place in the batch: so many `tokens` from `offset` on. */
  offset: number;
  tokens: number;
  count: number;
  length: number;
  /** Where there is padding: each slot's token `[count * length]`, and each token's slot `[tokens]`. */
  padding: { slotTokens: tf.Tensor1D; tokenSlots: tf.Tensor1D } | null;
  /** Each slot's segment, as in {@link TokenBatch}, 255 for padding; `[count * length]` int32. */
  segments: tf.Tensor1D;
  blocks: AttentionBlock[];
};

/**
 * Rows of a block. Half of causal attention is masked; blocks leave most of that half out, smaller
 * ones more of it, larger ones make better products.
 */
const BLOCK_ROWS = 128;
const BLOCKED = -1e9;
const PADDING = 255;

/** Cuts a batch's attention into groups and blocks; {@link disposeGroups} frees them. */
export function attentionGroups(
  { groups, segments }: Pick<TokenBatch, "groups" | "segments">,
  { heads, keyValueHeads }: Pick<AttentionShape, "heads" | "keyValueHeads">,
): AttentionGroup[] {
  const needsMask = !fusedKernels(), share = heads / keyValueHeads;
  return groups.map(({ offset, lengths }) => {
    const count = lengths.length, length = Math.max(...lengths);
    const { slotTokens, tokenSlots } = slotsOf(lengths, { offset, length });
    const own = slotTokens.map((token) => token < 0 ? PADDING : segments[token]);
    const blocks = blockRows(length).map((block) => {
      const place = { ...block, count, length, share };
      return { ...block, mask: needsMask ? blockMask(own, place) : null };
    });
    const isPadded = tokenSlots.length < slotTokens.length;
    const padding = isPadded
      ? {
        slotTokens: tf.tensor1d(slotTokens.map((token) => Math.max(token, 0)), "int32"),
        tokenSlots: tf.tensor1d(tokenSlots, "int32"),
      }
      : null;
    const tokens = tokenSlots.length;
    return { offset, tokens, count, length, padding, segments: tf.tensor1d(own, "int32"), blocks };
  });
}

/** The rows of a sequence's blocks. */
export function blockRows(length: number): { first: number; rows: number }[] {
  const size = Math.ceil(length / Math.max(1, Math.round(length / BLOCK_ROWS)));
  return Array.from(
    { length: Math.ceil(length / size) },
    (_, i) => ({ first: i * size, rows: Math.min(size, length - i * size) }),
  );
}

/** Frees what {@link attentionGroups} made. */
export function disposeGroups(groups: AttentionGroup[]): void {
  for (const { segments, padding, blocks } of groups) {
    tf.dispose([segments, { ...padding }, blocks.flatMap(({ mask }) => mask ?? [])]);
  }
}

/** Each sequence fills its row of slots from the left; -1 is a slot without a token. */
function slotsOf(
  lengths: number[],
  { offset, length }: { offset: number; length: number },
): { slotTokens: Int32Array; tokenSlots: Int32Array } {
  const slotTokens = new Int32Array(lengths.length * length).fill(-1), tokenSlots: number[] = [];
  lengths.forEach((own, item) => {
    for (let i = 0; i < own; i++) {
      slotTokens[item * length + i] = offset + tokenSlots.length;
      tokenSlots.push(item * length + i);
    }
  });
  return { slotTokens, tokenSlots: Int32Array.from(tokenSlots) };
}

/** A token sees its trunk and its own tail, up to itself; padding sees itself alone. */
function blockMask(
  segments: Int32Array,
  { count, length, first, rows, share }: {
    count: number;
    length: number;
    first: number;
    rows: number;
    share: number;
  },
): tf.Tensor4D {
  const keys = first + rows, mask = new Float32Array(count * rows * share * keys);
  for (let item = 0, at = 0; item < count; item++) {
    const sequence = segments.subarray(item * length, (item + 1) * length);
    for (let row = 0; row < rows * share; row++) {
      const i = first + Math.floor(row / share), own = sequence[i];
      for (let j = 0; j < keys; j++, at++) {
        const other = sequence[j];
        const isSeen = j === i || (j < i && own !== PADDING && (other === 0 || other === own));
        if (!isSeen) mask[at] = BLOCKED;
      }
    }
  }
  return tf.tensor4d(mask, [count, 1, rows * share, keys]);
}

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
  if (!mask) {
    const block = { keyHeads, share: perHead / rows, length, first };
    return fusedKernels()!.trieSoftmax(scores, segments, block);
  }
  const masked = tf.add(tf.reshape(scores, [count, keyHeads, perHead, keys]), mask);
  return tf.reshape(tf.softmax(masked), scores.shape);
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
