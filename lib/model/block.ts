import * as tf from "@tensorflow/tfjs";
import { activate, activateWithSlope } from "../layers/activation.ts";
import {
  attentionBackward,
  type AttentionContext,
  type attentionForward,
  attentionOutput,
  type AttentionSaved,
} from "../layers/attention.ts";
import { gatedBackward, gatedForward } from "../layers/gated_mlp.ts";
import {
  linearBackward,
  type LinearNeeds,
  type LinearSaved,
  linearsForward,
} from "../layers/linear.ts";
import { type Sight, sightOf } from "./attention_kinds.ts";
import { moduleName } from "./block_modules.ts";
import { normOf, type NormSaved } from "./block_norm.ts";
import { familyOf } from "./families.ts";
import type { LinearPart, NormPart } from "./family.ts";
import { type Computing, type Gradients, linearOf, nameGradients } from "./network.ts";

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

/**
 * One block: `h = x + attention(norm(x))`, `y = h + mlp(norm(h))`, of the parts that the model's family
 * names. The source of each stands there.
 */
export function blockForward(
  x: tf.Tensor2D,
  layer: number,
  context: BlockContext,
): { y: tf.Tensor2D; saved: BlockSaved } {
  const { linears, activation } = familyOf(context.network.config);
  const parts = blockParts(layer, context);
  const saved: Pick<BlockSaved, "norms" | "unnormed" | "lows"> = {
    norms: {},
    unnormed: {},
    lows: {},
  };
  const linear = (input: tf.Tensor2D, ...names: LinearPart[]) => {
    const results = linearsForward(input, names.map(parts.linear));
    names.forEach((part, i) => saved.lows[part] = results[i].saved);
    return results.map(({ y }) => y);
  };
  const norm = (input: tf.Tensor2D, part: NormPart) => {
    const { y, saved: own } = parts.norm(part)!.forward(input);
    saved.norms[part] = own;
    return y;
  };
  /** A norm that not every family has; what goes into it can't be computed again cheaply. */
  const maybeNorm = (input: tf.Tensor2D, part: NormPart) => {
    if (!parts.norm(part)) return input;
    saved.unnormed[part] = input;
    return norm(input, part);
  };
  const headNorm = (input: tf.Tensor2D, part: "q" | "k") =>
    parts.byHead(part, input, (heads) => maybeNorm(heads, part));

  const n1 = norm(x, "attention");
  const [q, k, v]: tf.Tensor2D[] = linears.qkv
    ? parts.split(linear(n1, "qkv")[0])
    : linear(n1, "q", "k", "v");
  const attended = context.attend(headNorm(q, "q"), headNorm(k, "k"), v, layer);
  const out = maybeNorm(linear(attended.y, "o")[0], "attentionOutput");
  const middle = tf.add<tf.Tensor2D>(x, out);

  const n2 = norm(middle, "mlp");
  const [up, gate = undefined] = linears.gate ? linear(n2, "up", "gate") : linear(n2, "up");
  const inner = gate ? gatedForward(gate, up, activation) : activate(up, activation);
  const y = tf.add<tf.Tensor2D>(middle, maybeNorm(linear(inner, "down")[0], "mlpOutput"));
  return { y, saved: { ...saved, attention: attended.saved, middle, gate, up } };
}

/** The gradients of {@link blockForward}; `dx` is left out where nobody needs it. */
export function blockBackward(
  dy: tf.Tensor2D,
  x: tf.Tensor2D,
  saved: BlockSaved,
  layer: number,
  context: BlockContext,
  needs: LinearNeeds,
): { dx?: tf.Tensor2D; gradients: Gradients } {
  const mlp = tf.tidy(() => mlpBackward(dy, saved, layer, context, needs));
  const attention = tf.tidy(() => attentionPartBackward(mlp.dx, x, saved, layer, context, needs));
  return { dx: attention.dx, gradients: { ...mlp.gradients, ...attention.gradients } };
}

function mlpBackward(
  dy: tf.Tensor2D,
  saved: BlockSaved,
  layer: number,
  context: BlockContext,
  { weights }: LinearNeeds,
): { dx: tf.Tensor2D; gradients: Gradients } {
  const { middle, gate, up } = saved, { activation } = familyOf(context.network.config);
  const { gradients, linear, norm, maybeNorm, again } = partsBackward(
    saved,
    layer,
    context,
    weights,
  );
  const dout = maybeNorm("mlpOutput", dy);
  const inner = () => gate ? gatedForward(gate, up, activation) : activate(up, activation);
  const da = linear("down", dout, inner)!, n2 = once(() => again("mlp", middle));
  let dn: tf.Tensor2D;
  if (gate) {
    const { dgate, dup } = gatedBackward(da, gate, up, activation);
    dn = tf.add(linear("gate", dgate, n2)!, linear("up", dup, n2)!);
  } else {
    const { slope } = activateWithSlope(up, activation);
    dn = linear("up", tf.mul(da, slope), n2)!;
  }
  return { dx: norm("mlp", dn, middle, dy), gradients };
}

function attentionPartBackward(
  dmiddle: tf.Tensor2D,
  x: tf.Tensor2D,
  saved: BlockSaved,
  layer: number,
  context: BlockContext,
  { input, weights }: LinearNeeds,
): { dx?: tf.Tensor2D; gradients: Gradients } {
  const { config } = context.network, { linears } = familyOf(config);
  const own = context.attention![sightOf(config, layer)]!;
  const { gradients, linear, norm, maybeNorm, headNorm, again } = partsBackward(
    saved,
    layer,
    context,
    weights,
  );
  const o = () => attentionOutput(saved.attention, own);
  const dout = linear("o", maybeNorm("attentionOutput", dmiddle), o)!;
  const { dq, dk, dv } = attentionBackward(dout, saved.attention, own);
  const n1 = once(() => again("attention", x));
  const onward = input || weights; // the norm's own weight needs it too
  const [q, k] = [headNorm("q", dq), headNorm("k", dk)];
  const parts = linears.qkv ? [linear("qkv", tf.concat([q, k, dv], 1), n1, onward)] : [
    linear("q", q, n1, onward),
    linear("k", k, n1, onward),
    linear("v", dv, n1, onward),
  ];
  if (!onward) return { gradients };
  const dn = parts.length === 1 ? parts[0]! : tf.addN(parts as tf.Tensor2D[]);
  return { dx: norm("attention", dn, x, dmiddle), gradients };
}

/** A block's parts by what they do, and how queries, keys and values lie in its tensors. */
function blockParts(layer: number, context: BlockContext) {
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

/** A block's backwards by part, with one place where their gradients gather. */
function partsBackward(
  saved: BlockSaved,
  layer: number,
  context: BlockContext,
  weights: boolean,
) {
  const gradients: Gradients = {}, parts = blockParts(layer, context);
  const linear = (part: LinearPart, dy: tf.Tensor2D, x: () => tf.Tensor2D, input = true) => {
    const needs = { input, weights }, own = saved.lows[part]!;
    const result = linearBackward(dy, x, own, parts.linear(part), needs);
    Object.assign(gradients, nameGradients(parts.module(part), result.gradients));
    return result.dx;
  };
  const norm = (part: NormPart, dy: tf.Tensor2D, x: tf.Tensor2D, residual?: tf.Tensor2D) => {
    const result = parts.norm(part)!.backward(dy, x, saved.norms[part]!, { weights, residual });
    Object.assign(gradients, result.gradients);
    return result.dx;
  };
  const maybeNorm = (part: NormPart, dy: tf.Tensor2D) =>
    parts.norm(part) ? norm(part, dy, saved.unnormed[part]!) : dy;
  const headNorm = (part: "q" | "k", dy: tf.Tensor2D) =>
    parts.byHead(part, dy, (heads) => maybeNorm(part, heads));
  const again = (part: NormPart, x: tf.Tensor2D) => parts.norm(part)!.again(x, saved.norms[part]!);
  return { gradients, linear, norm, maybeNorm, headNorm, again };
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}
