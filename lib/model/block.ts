import * as tf from "@tensorflow/tfjs";
import { activate } from "../layers/activation.ts";
import type { AttentionContext, attentionForward, AttentionSaved } from "../layers/attention.ts";
import { gatedForward } from "../layers/gated_mlp.ts";
import { type LinearSaved, linearsForward } from "../layers/linear.ts";
import type { Sight } from "./attention_kinds.ts";
import { moduleName } from "./block_modules.ts";
import { normOf, type NormSaved } from "./block_norm.ts";
import { familyOf } from "./families.ts";
import type { LinearPart, NormPart } from "./family.ts";
import { type Computing, linearOf } from "./network.ts";

/** What every block of one pass shares: the batch's masks and angles. */
export type BlockContext = Computing & {
  /** Attention itself of a layer: over the batch in training, over cached keys in generation. */
  attend: (
    q: tf.Tensor2D,
    k: tf.Tensor2D,
    v: tf.Tensor2D,
    layer: number,
  ) => ReturnType<typeof attentionForward>;
  /** What attention over the batch's own tokens knows of them; null over cached keys. */
  attention: Partial<Record<Sight, AttentionContext>> | null;
};

/** A block's tensors for backward; the rest is computed again. */
export type BlockSaved = {
  norms: Partial<Record<NormPart, NormSaved>>;
  /** What has gone into the norms that heads and outputs have, `[N, ...]`. */
  unnormed: Partial<Record<NormPart, tf.Tensor2D>>;
  attention: AttentionSaved[];
  /** The residual stream between attention and MLP, `[N, D]`. */
  middle: tf.Tensor2D;
  /** Absent where the MLP has no gate. */
  gate?: tf.Tensor2D;
  up: tf.Tensor2D;
  lows: Partial<Record<LinearPart, LinearSaved>>;
};

/** What both parts of a block save. */
type PartSaved = Pick<BlockSaved, "norms" | "unnormed" | "lows">;

/**
 * One block: `h = x + attention(norm(x))`, `y = h + mlp(norm(h))`, of the parts that the model's family
 * names. The source of each stands there. What only one part needs is freed before the next.
 */
export function blockForward(
  x: tf.Tensor2D,
  layer: number,
  context: BlockContext,
): { y: tf.Tensor2D; saved: BlockSaved } {
  const { y, saved } = runBlock(x, layer, context, { output: true });
  return { y: y!, saved };
}

/**
 * What {@link blockForward} has saved, once more, for a backward pass that did not keep it. The MLP's
 * last product is left out where nothing that is saved depends on it.
 */
export function blockAgain(x: tf.Tensor2D, layer: number, context: BlockContext): BlockSaved {
  return runBlock(x, layer, context, { output: false }).saved;
}

function runBlock(
  x: tf.Tensor2D,
  layer: number,
  context: BlockContext,
  needs: { output: boolean },
): { y?: tf.Tensor2D; saved: BlockSaved } {
  const shared: PartSaved = { norms: {}, unnormed: {}, lows: {} };
  const { middle, attention } = tf.tidy(() => attentionPartForward(x, shared, layer, context));
  const { y, gate, up } = tf.tidy(() => mlpForward(middle, shared, layer, context, needs));
  return { y, saved: { ...shared, attention, middle, gate, up } };
}

/** `shared` gets what this part saves, and is returned so that a scope leaves it alive. */
function attentionPartForward(
  x: tf.Tensor2D,
  shared: PartSaved,
  layer: number,
  context: BlockContext,
): { middle: tf.Tensor2D; attention: AttentionSaved[]; shared: PartSaved } {
  const { linears } = familyOf(context.network.config);
  const { parts, linear, norm, maybeNorm } = partsForward(shared, layer, context);
  const headNorm = (input: tf.Tensor2D, part: "q" | "k") =>
    parts.byHead(part, input, (heads) => maybeNorm(heads, part));
  const n1 = norm(x, "attention");
  const [q, k, v]: tf.Tensor2D[] = linears.qkv
    ? parts.split(linear(n1, "qkv")[0])
    : linear(n1, "q", "k", "v");
  const { y, saved } = context.attend(headNorm(q, "q"), headNorm(k, "k"), v, layer);
  const out = maybeNorm(linear(y, "o")[0], "attentionOutput");
  return { middle: tf.add(x, out), attention: saved, shared };
}

/** See {@link attentionPartForward} for `shared`. */
function mlpForward(
  middle: tf.Tensor2D,
  shared: PartSaved,
  layer: number,
  context: BlockContext,
  { output }: { output: boolean },
): { y?: tf.Tensor2D; gate?: tf.Tensor2D; up: tf.Tensor2D; shared: PartSaved } {
  const { linears, activation } = familyOf(context.network.config);
  const { parts, linear, norm, maybeNorm } = partsForward(shared, layer, context);
  const n2 = norm(middle, "mlp");
  const [up, gate = undefined] = linears.gate ? linear(n2, "up", "gate") : linear(n2, "up");
  if (!output && !parts.norm("mlpOutput") && !parts.linear("down").lowRank) {
    return { gate, up, shared };
  }
  const inner = gate ? gatedForward(gate, up, activation) : activate(up, activation);
  const y = tf.add<tf.Tensor2D>(middle, maybeNorm(linear(inner, "down")[0], "mlpOutput"));
  return { y, gate, up, shared };
}

/** A block's parts by what they do, and how queries, keys and values lie in its tensors. */
export function blockParts(layer: number, context: BlockContext) {
  const { network } = context, { config } = network, { norms, linears } = familyOf(config);
  const { heads, keyValueHeads, headDim } = config;
  return {
    module: (part: LinearPart) => moduleName(config, layer, linears[part]!),
    linear: (part: LinearPart) => linearOf(context, moduleName(config, layer, linears[part]!)),
    norm(part: NormPart) {
      const name = norms[part];
      return name === undefined ? undefined : normOf(network, moduleName(config, layer, name));
    },
    /** Each head as a row of its own for its norm; `x` itself where it has none. */
    byHead(part: "q" | "k", x: tf.Tensor2D, norm: (heads: tf.Tensor2D) => tf.Tensor2D) {
      if (norms[part] === undefined) return x;
      return tf.reshape<tf.Rank.R2>(norm(tf.reshape(x, [-1, headDim])), x.shape);
    },
    split: (qkv: tf.Tensor2D): tf.Tensor2D[] =>
      tf.split(qkv, [heads, keyValueHeads, keyValueHeads].map((n) => n * headDim), 1),
  };
}

/** A block's forwards by part, with one place where what they save gathers. */
function partsForward(shared: PartSaved, layer: number, context: BlockContext) {
  const parts = blockParts(layer, context);
  const linear = (input: tf.Tensor2D, ...names: LinearPart[]) => {
    const results = linearsForward(input, names.map(parts.linear));
    names.forEach((part, i) => shared.lows[part] = results[i].saved);
    return results.map(({ y }) => y);
  };
  const norm = (input: tf.Tensor2D, part: NormPart) => {
    const { y, saved } = parts.norm(part)!.forward(input);
    shared.norms[part] = saved;
    return y;
  };
  /** A norm that not every family has; what goes into it can't be computed again cheaply. */
  const maybeNorm = (input: tf.Tensor2D, part: NormPart) => {
    if (!parts.norm(part)) return input;
    shared.unnormed[part] = input;
    return norm(input, part);
  };
  return { parts, linear, norm, maybeNorm };
}
