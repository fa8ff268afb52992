import * as tf from "@tensorflow/tfjs";
import type {
  AttentionBlock,
  AttentionGroup,
  AttentionLayout,
  AttentionShape,
} from "./attention_layout.ts";
import { joinHeads, splitHeads } from "./heads.ts";
import type { RopeTables } from "./rope.ts";
import { softmaxBackward, trieSoftmax } from "./trie_softmax.ts";

/** What attention needs to know of a batch. */
export type AttentionContext = {
  layout: AttentionLayout;
  shape: AttentionShape;
  /** The angles of queries, with attention's scale in them, and of keys. */
  queryTables: RopeTables;
  keyTables: RopeTables;
};

/** One group's tensors for backward. A token's query heads that share a key head are neighbours. */
export type AttentionSaved = {
  /** `[count * KV, length, headDim]`, turned. */
  k: tf.Tensor3D;
  v: tf.Tensor3D;
  blocks: {
    /** `[count * KV, rows * share, headDim]`, scaled and turned. */
    q: tf.Tensor3D;
    /** What the heads return, shaped as `q`. */
    o: tf.Tensor3D;
  }[];
};

/**
 * Causal attention over the tries of a batch: `softmax(q k^T + mask) v` with `q` and `k` turned by
 * their positions, a block of rows at a time over the keys that it can see. `q` is
 * `[N, heads * headDim]`, `k` and `v` `[N, KV * headDim]`, the result is shaped as `q`. Keys and
 * values are never repeated for GQA: query heads that share a key head become rows of one product.
 */
export function attentionForward(
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  v: tf.Tensor2D,
  context: AttentionContext,
): { y: tf.Tensor2D; saved: AttentionSaved[] } {
  const { layout, queryTables, keyTables } = context;
  const queries = splitHeads(q, context, queryTables);
  const keys = splitHeads(k, context, keyTables), values = splitHeads(v, context);
  const saved = layout.groups.map((group) => {
    const whole = { first: 0, rows: group.length };
    const [gk, gv] = [keys(group, whole), values(group, whole)];
    const blocks = group.blocks.map((block) => {
      const q = queries(group, block), p = probabilities(q, gk, group, block);
      const o = tf.matMul<tf.Tensor3D>(p, firstRows(gv, block));
      p.dispose();
      return { q, o };
    });
    return { k: gk, v: gv, blocks };
  });
  return { y: attentionOutput(saved, context), saved };
}

/**
 * The gradients of {@link attentionForward} with respect to `q`, `k` and `v`. Probabilities are computed
 * again, a block at a time: kept, they would be the largest tensors of a long batch.
 */
export function attentionBackward(
  dy: tf.Tensor2D,
  saved: AttentionSaved[],
  context: AttentionContext,
): { dq: tf.Tensor2D; dk: tf.Tensor2D; dv: tf.Tensor2D } {
  const { layout, shape: { keyValueHeads }, queryTables, keyTables } = context;
  const outputs = splitHeads(dy, context);
  const gradients = layout.groups.map((group, g) => {
    const { k, v, blocks } = saved[g];
    return group.blocks.map((block, b) => {
      const { q, o } = blocks[b], dout = outputs(group, block);
      return tf.tidy(() => {
        const p = probabilities(q, k, group, block);
        const dp = tf.matMul<tf.Tensor3D>(dout, firstRows(v, block), false, true);
        const ds = softmaxBackward(dp, p, dout, o);
        dp.dispose();
        return {
          dq: tf.matMul<tf.Tensor3D>(ds, firstRows(k, block)),
          dk: tf.matMul<tf.Tensor3D>(ds, q, true),
          dv: tf.matMul<tf.Tensor3D>(p, dout, true),
        };
      });
    });
  });
  const each = (name: "dq" | "dk" | "dv") =>
    gradients.map((blocks) => blocks.map((block) => block[name]));
  return {
    dq: joinHeads(each("dq"), layout, { keyValueHeads, tables: queryTables }),
    dk: joinHeads(each("dk"), layout, { keyValueHeads, ofKeys: true, tables: keyTables }),
    dv: joinHeads(each("dv"), layout, { keyValueHeads, ofKeys: true }),
  };
}

/** {@link attentionForward}'s result, out of what was saved of it. */
export function attentionOutput(
  saved: AttentionSaved[],
  { layout, shape: { keyValueHeads } }: AttentionContext,
): tf.Tensor2D {
  const blocks = saved.map(({ blocks }) => blocks.map(({ o }) => o));
  return joinHeads(blocks, layout, { keyValueHeads });
}

/** How much each row of a block looks at each key, `[count * KV, rows * share, keys]`. */
function probabilities(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  group: AttentionGroup,
  block: AttentionBlock,
): tf.Tensor3D {
  const scores = tf.matMul<tf.Tensor3D>(q, firstRows(k, block), false, true);
  const p = trieSoftmax(scores, group, block);
  scores.dispose();
  return p;
}

/** The rows of keys or values that a block can see. */
function firstRows(x: tf.Tensor3D, { first, rows }: AttentionBlock): tf.Tensor3D {
  const seen = first + rows;
  return seen === x.shape[1] ? x : tf.slice(x, [0, 0, 0], [-1, seen, -1]);
}
