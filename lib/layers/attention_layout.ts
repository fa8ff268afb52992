import * as tf from "@tensorflow/tfjs";
import { alignedRows } from "../backend/aligned_rows.ts";
import { fusedKernels } from "../backend/fused_kernels.ts";
import type { TokenBatch } from "../types.ts";

/** How wide attention is: query heads, key/value heads (fewer under GQA, arXiv 2305.13245), head size. */
export type AttentionShape = { heads: number; keyValueHeads: number; headDim: number };

/** The queries of `rows` tokens from `first` on; none of them sees a key behind `first + rows`. */
export type AttentionBlock = {
  first: number;
  rows: number;
  /**
   * Additive, `[count, 1, rows * share, first + rows]`; null where a fused kernel needs none, which
   * knows tries and not windows.
   */
  mask: tf.Tensor4D | null;
};

/** `count` sequences, padded to `length` tokens, and the blocks that their attention runs in. */
export type AttentionGroup = {
  count: number;
  length: number;
  /** Each slot's token, `[count * length]` int32; of padding -1, or any where plain tfjs gathers. */
  slots: tf.Tensor1D;
  /** Each slot's segment, as in {@link TokenBatch}, 255 for padding; `[count * length]` int32. */
  segments: tf.Tensor1D;
  blocks: AttentionBlock[];
};

/** Where a batch's tokens stand in attention, and the way back. */
export type AttentionLayout = {
  groups: AttentionGroup[];
  /** Whether slots and tokens are the same in number and order. */
  isFull: boolean;
  /** Each token's slot, counted through all groups, `[N]` int32. */
  tokenSlots: tf.Tensor1D;
  /** Each token's blocks, from the first to before the second, sequence and position, `[4 N]` int32. */
  places: tf.Tensor1D;
  /** The first position of each block, through all groups; and zeros as many; int32. */
  blockFirsts: tf.Tensor1D;
  zeros: tf.Tensor1D;
};

/**
 * Rows of a block. Half of causal attention is masked; blocks leave most of that half out, smaller
 * ones more of it, larger ones make better products.
 */
const BLOCK_ROWS = 128;
const BLOCKED = -1e9;
const PADDING = 255;

/** A sliding window: how many positions a token sees, with its own, and where each token stands. */
export type AttentionWindow = { size: number; positions: Int32Array };

/**
 * Cuts the attention of a batch, laid out in `tokens` rows, into groups and blocks; rows behind the
 * batch's own belong to no sequence. {@link disposeLayout} frees it.
 */
export function attentionLayout(
  { groups, segments }: Pick<TokenBatch, "groups" | "segments">,
  { heads, keyValueHeads }: Pick<AttentionShape, "heads" | "keyValueHeads">,
  tokens: number,
  window?: AttentionWindow,
): AttentionLayout {
  const fused = fusedKernels(), needsMask = !fused || window, share = heads / keyValueHeads;
  const tokenSlots = new Int32Array(tokens), places = new Int32Array(4 * tokens);
  const blockFirsts: number[] = [];
  let slotsBefore = 0, tokensBefore = 0;
  const made = groups.map(({ offset, lengths }): AttentionGroup => {
    const count = lengths.length, length = alignedRows(Math.max(...lengths));
    const slots = new Int32Array(count * length).fill(fused ? -1 : 0);
    const own = new Int32Array(count * length).fill(PADDING), rows = blockRows(length);
    const positions = new Int32Array(count * length);
    let token = offset;
    lengths.forEach((filled, item) => {
      for (let i = 0; i < filled; i++, token++) {
        const slot = item * length + i;
        slots[slot] = token;
        own[slot] = segments[token];
        if (window) positions[slot] = window.positions[token];
        tokenSlots[token] = slotsBefore + slot;
        const blocks = [blockFirsts.length, blockFirsts.length + rows.length];
        places.set([...blocks, item, i], 4 * token);
      }
    });
    const blocks = rows.map((block) => ({
      ...block,
      mask: needsMask
        ? blockMask(own, positions, { ...block, count, length, share, window: window?.size })
        : null,
    }));
    blockFirsts.push(...rows.map(({ first }) => first));
    slotsBefore += slots.length;
    tokensBefore += token - offset;
    const int = (values: Int32Array) => tf.tensor1d(values, "int32");
    return { count, length, slots: int(slots), segments: int(own), blocks };
  });
  return {
    groups: made,
    isFull: slotsBefore === tokensBefore,
    tokenSlots: tf.tensor1d(tokenSlots, "int32"),
    places: tf.tensor1d(places, "int32"),
    blockFirsts: tf.tensor1d(blockFirsts, "int32"),
    zeros: tf.tensor1d(blockFirsts.map(() => 0), "int32"),
  };
}

/** The rows of a sequence's blocks. Fused ones are all of one size but the last: see `alignedRows`. */
export function blockRows(length: number): { first: number; rows: number }[] {
  const size = fusedKernels()
    ? BLOCK_ROWS
    : Math.ceil(length / Math.max(1, Math.round(length / BLOCK_ROWS)));
  return Array.from(
    { length: Math.ceil(length / size) },
    (_, i) => ({ first: i * size, rows: Math.min(size, length - i * size) }),
  );
}

/** Frees what {@link attentionLayout} made. */
export function disposeLayout({ groups, isFull: _, ...tensors }: AttentionLayout): void {
  tf.dispose({ ...tensors });
  for (const { slots, segments, blocks } of groups) {
    tf.dispose([slots, segments, blocks.flatMap(({ mask }) => mask ?? [])]);
  }
}

/** A token sees its trunk and its own tail, up to itself, as far back as a window lets it; padding sees itself. */
function blockMask(
  segments: Int32Array,
  positions: Int32Array,
  { count, length, first, rows, share, window = Infinity }: {
    count: number;
    length: number;
    first: number;
    rows: number;
    share: number;
    window?: number;
  },
): tf.Tensor4D {
  const keys = first + rows, mask = new Float32Array(count * rows * share * keys);
  for (let item = 0, at = 0; item < count; item++) {
    const sequence = segments.subarray(item * length, (item + 1) * length);
    const places = positions.subarray(item * length, (item + 1) * length);
    for (let row = 0; row < rows * share; row++) {
      const i = first + Math.floor(row / share), own = sequence[i];
      for (let j = 0; j < keys; j++, at++) {
        const other = sequence[j];
        const isSeen = j === i || (j < i && own !== PADDING && (other === 0 || other === own));
        if (!isSeen || places[i] - places[j] >= window) mask[at] = BLOCKED;
      }
    }
  }
  return tf.tensor4d(mask, [count, 1, rows * share, keys]);
}
