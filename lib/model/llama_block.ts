import * as tf from "@tensorflow/tfjs";
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
  linearForward,
  type LinearNeeds,
  type LinearSaved,
} from "../layers/linear.ts";
import { rmsNormApply, rmsNormBackward, rmsNormForward } from "../layers/rms_norm.ts";
import { type Computing, type Gradients, linearOf, nameGradients, weightOf } from "./network.ts";

/** What every block of one pass shares: the batch's masks and angles. */
export type BlockContext = Computing & {
  /** Attention itself: over the batch in training, over cached keys in generation. */
  attend: (
    q: tf.Tensor2D,
    k: tf.Tensor2D,
    v: tf.Tensor2D,
  ) => ReturnType<typeof attentionForward>;
  /** What attention over the batch's own tokens knows of them; null over cached keys. */
  attention: AttentionContext | null;
};

/** A block's tensors for backward; the rest is computed again. */
export type BlockSaved = {
  attentionRstd: tf.Tensor2D;
  mlpRstd: tf.Tensor2D;
  attention: AttentionSaved[];
  /** The residual stream between attention and MLP, `[N, D]`. */
  middle: tf.Tensor2D;
  gate: tf.Tensor2D;
  up: tf.Tensor2D;
  lows: Record<string, LinearSaved>;
};

const prefix = (layer: number) => `model.layers.${layer}`;

/** One Llama block (arXiv 2302.13971): `h = x + attention(norm(x))`, `y = h + mlp(norm(h))`. */
export function blockForward(
  x: tf.Tensor2D,
  layer: number,
  context: BlockContext,
): { y: tf.Tensor2D; saved: BlockSaved } {
  const { network, attend } = context, { normEpsilon } = network.config;
  const lows: Record<string, LinearSaved> = {};
  const linear = (input: tf.Tensor2D, name: string) => {
    const { y, saved } = linearForward(input, linearOf(context, moduleName(layer, name)));
    lows[name] = saved;
    return y;
  };
  const norm = (input: tf.Tensor2D, name: string) =>
    rmsNormForward(input, weightOf(network, `${prefix(layer)}.${name}.weight`), normEpsilon);

  const { y: n1, rstd: attentionRstd } = norm(x, "input_layernorm");
  const q = linear(n1, "q_proj"), k = linear(n1, "k_proj"), v = linear(n1, "v_proj");
  const { y: o, saved: attention } = attend(q, k, v);
  const middle = tf.add<tf.Tensor2D>(x, linear(o, "o_proj"));

  const { y: n2, rstd: mlpRstd } = norm(middle, "post_attention_layernorm");
  const gate = linear(n2, "gate_proj"), up = linear(n2, "up_proj");
  const y = tf.add<tf.Tensor2D>(middle, linear(gatedForward(gate, up), "down_proj"));
  return { y, saved: { attentionRstd, mlpRstd, attention, middle, gate, up, lows } };
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
  const { middle, mlpRstd, gate, up } = saved;
  const { back, gradients } = linearBackwards(saved, layer, context, weights);
  const normName = `${prefix(layer)}.post_attention_layernorm.weight`;
  const normWeight = weightOf<tf.Tensor1D>(context.network, normName);
  const da = back("down_proj", dy, () => gatedForward(gate, up))!;
  const { dgate, dup } = gatedBackward(da, gate, up);
  const n2 = once(() => rmsNormApply(middle, mlpRstd, normWeight));
  const dn = tf.add<tf.Tensor2D>(back("gate_proj", dgate, n2)!, back("up_proj", dup, n2)!);
  const options = { weights, residual: dy };
  const { dx, dweight } = rmsNormBackward(dn, middle, mlpRstd, normWeight, options);
  if (dweight) gradients[normName] = dweight;
  return { dx, gradients };
}

function attentionPartBackward(
  dmiddle: tf.Tensor2D,
  x: tf.Tensor2D,
  saved: BlockSaved,
  layer: number,
  context: BlockContext,
  { input, weights }: LinearNeeds,
): { dx?: tf.Tensor2D; gradients: Gradients } {
  const { network } = context, own = context.attention!;
  const { back, gradients } = linearBackwards(saved, layer, context, weights);
  const o = () => attentionOutput(saved.attention, own);
  const dout = back("o_proj", dmiddle, o)!;
  const { dq, dk, dv } = attentionBackward(dout, saved.attention, own);
  const normName = `${prefix(layer)}.input_layernorm.weight`;
  const normWeight = weightOf<tf.Tensor1D>(network, normName);
  const n1 = once(() => rmsNormApply(x, saved.attentionRstd, normWeight));
  const onward = input || weights; // the norm's own weight needs it too
  const parts = [
    back("q_proj", dq, n1, onward),
    back("k_proj", dk, n1, onward),
    back("v_proj", dv, n1, onward),
  ];
  if (!onward) return { gradients };
  const dn = tf.addN(parts as tf.Tensor2D[]);
  const options = { weights, residual: dmiddle };
  const { dx, dweight } = rmsNormBackward(dn, x, saved.attentionRstd, normWeight, options);
  if (dweight) gradients[normName] = dweight;
  return { dx, gradients };
}

/** A block's linear backwards by name, with one place where their gradients gather. */
function linearBackwards(
  saved: BlockSaved,
  layer: number,
  context: BlockContext,
  weights: boolean,
) {
  const gradients: Gradients = {};
  const back = (name: string, dy: tf.Tensor2D, x: () => tf.Tensor2D, input = true) => {
    const module = moduleName(layer, name);
    const parameters = linearOf(context, module);
    const result = linearBackward(dy, x, saved.lows[name], parameters, { input, weights });
    Object.assign(gradients, nameGradients(module, result.gradients));
    return result.dx;
  };
  return { back, gradients };
}

const ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"];
const MLP = ["gate_proj", "up_proj", "down_proj"];

/** The linear layers of a block, by the last part of their name. */
export const BLOCK_LINEARS = [...ATTENTION, ...MLP];

/** The full name of a block's linear layer, as checkpoints and adapters write it. */
export function moduleName(layer: number, name: string): string {
  return `${prefix(layer)}.${ATTENTION.includes(name) ? "self_attn" : "mlp"}.${name}`;
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}
