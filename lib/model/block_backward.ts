import * as tf from "@tensorflow/tfjs";
import { activate, activateWithSlope } from "../layers/activation.ts";
import { attentionBackward, attentionOutput } from "../layers/attention.ts";
import { gatedBackward, gatedForward } from "../layers/gated_mlp.ts";
import { linearBackward, type LinearNeeds, sumOf } from "../layers/linear.ts";
import { sightOf } from "./attention_kinds.ts";
import { type BlockContext, blockParts, type BlockSaved } from "./block.ts";
import { familyOf } from "./families.ts";
import type { LinearPart, NormPart } from "./family.ts";
import { type Gradients, nameGradients } from "./network.ts";

/**
 * The gradients of `blockForward`; `dx` is left out where nobody needs it. What was saved of the
 * MLP is freed as soon as that has been read, for here a pass holds the most.
 */
export function blockBackward(
  dy: tf.Tensor2D,
  x: tf.Tensor2D,
  saved: BlockSaved,
  layer: number,
  context: BlockContext,
  needs: LinearNeeds,
): { dx?: tf.Tensor2D; gradients: Gradients } {
  const mlp = tf.tidy(() => mlpBackward(dy, saved, layer, context, needs));
  tf.dispose([saved.middle, saved.gate, saved.up]);
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
    da.dispose();
    dn = sumOf([linear("gate", dgate, n2)!, linear("up", dup, n2)!]);
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
  const { dq, dk, dv } = tf.tidy(() => attentionBackward(dout, saved.attention, own));
  dout.dispose();
  const n1 = once(() => again("attention", x));
  const onward = input || weights; // the norm's own weight needs it too
  const [q, k] = [headNorm("q", dq), headNorm("k", dk)];
  const parts = linears.qkv ? [linear("qkv", tf.concat([q, k, dv], 1), n1, onward)] : [
    linear("q", q, n1, onward),
    linear("k", k, n1, onward),
    linear("v", dv, n1, onward),
  ];
  if (!onward) return { gradients };
  return { dx: norm("attention", sumOf(parts as tf.Tensor2D[]), x, dmiddle), gradients };
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
