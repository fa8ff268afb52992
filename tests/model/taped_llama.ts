/** Llama written for tfjs' tape, a sequence at a time and nothing shared: the oracle of lib/model. */
import * as tf from "@tensorflow/tfjs";
import type { ModelConfig } from "../../lib/model/model_config.ts";
import type { Adapters } from "../../lib/model/network.ts";
import { weightShapes } from "../../lib/model/weight_shapes.ts";
import { createRandom } from "../../lib/random.ts";

export const TINY: ModelConfig = {
  family: "llama",
  vocabSize: 29,
  hiddenSize: 12,
  feedForwardSize: 20,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headDim: 4,
  normEpsilon: 1e-5,
  ropeTheta: 100,
  maxPositions: 64,
  tiedHead: true,
  attentionBias: true,
  mlpBias: true,
};

/** Random weights for a configuration, norms near one. */
export function randomWeights(config: ModelConfig, seed: number): Map<string, tf.Tensor> {
  const random = createRandom(seed);
  return new Map(
    [...weightShapes(config)].map(([name, shape]) => {
      const centre = name.includes("norm") ? 1 : 0;
      const size = shape.reduce((a, b) => a * b);
      const data = Float32Array.from({ length: size }, () => centre + 0.3 * random.normal());
      return [name, tf.tensor(data, shape)];
    }),
  );
}

/** The summed log-probability of `response` after `prompt`, differentiable. */
export function tapedLogProb(
  config: ModelConfig,
  weights: ReadonlyMap<string, tf.Tensor>,
  adapters: Adapters | null,
  prompt: number[],
  response: number[],
): tf.Scalar {
  const w = <T extends tf.Tensor>(name: string) => weights.get(name) as T;
  const linear = (x: tf.Tensor2D, module: string) => {
    let y = tf.matMul(x, w<tf.Tensor2D>(`${module}.weight`), false, true);
    if (weights.has(`${module}.bias`)) y = tf.add(y, w(`${module}.bias`));
    const low = adapters?.get(module);
    if (!low) return y;
    const delta = tf.matMul(tf.matMul(x, low.a, false, true), low.b, false, true);
    return tf.add<tf.Tensor2D>(y, tf.mul(delta, low.scale));
  };
  const norm = (x: tf.Tensor2D, name: string) => {
    const variance = tf.mean(tf.square(x), -1, true);
    const rstd = tf.rsqrt(tf.add(variance, config.normEpsilon));
    return tf.mul<tf.Tensor2D>(tf.mul(x, rstd), w(`${name}.weight`));
  };
  const ids = [...prompt, ...response], length = ids.length - 1;
  const { heads, keyValueHeads, headDim } = config, half = headDim / 2;
  const angles = ids.slice(0, -1).map((_, t) =>
    Array.from({ length: headDim }, (_, j) => t * config.ropeTheta! ** (-(j % half) / half))
  );
  const cos = tf.cos(angles), sin = tf.sin(angles);
  const turn = (x: tf.Tensor2D): tf.Tensor2D => {
    const [a, b] = tf.split(x, 2, 1);
    return tf.add<tf.Tensor2D>(tf.mul(x, cos), tf.mul(tf.concat([tf.neg(b), a], 1), sin));
  };
  const mask = tf.tensor2d(
    Array.from({ length }, (_, i) => Array.from({ length }, (_, j) => j <= i ? 0 : -1e9)),
  );
  let x: tf.Tensor2D = tf.gather(w("model.embed_tokens.weight"), ids.slice(0, -1));
  for (let layer = 0; layer < config.layers; layer++) {
    const block = `model.layers.${layer}`;
    const n = norm(x, `${block}.input_layernorm`);
    const [q, k, v] = ["q", "k", "v"].map((name) => linear(n, `${block}.self_attn.${name}_proj`));
    const head = (t: tf.Tensor, i: number) =>
      tf.slice2d(t as tf.Tensor2D, [0, i * headDim], [-1, headDim]);
    const outputs = Array.from({ length: heads }, (_, i) => {
      const shared = Math.floor(i * keyValueHeads / heads);
      const scores = tf.matMul(turn(head(q, i)), turn(head(k, shared)), false, true);
      const p = tf.softmax(tf.add(tf.div(scores, Math.sqrt(headDim)), mask));
      return tf.matMul<tf.Tensor2D>(p as tf.Tensor2D, head(v, shared));
    });
    x = tf.add(x, linear(tf.concat(outputs, 1), `${block}.self_attn.o_proj`));
    const m = norm(x, `${block}.post_attention_layernorm`);
    const gate = linear(m, `${block}.mlp.gate_proj`);
    const gated = tf.mul<tf.Tensor2D>(
      tf.mul(gate, tf.sigmoid(gate)),
      linear(m, `${block}.mlp.up_proj`),
    );
    x = tf.add(x, linear(gated, `${block}.mlp.down_proj`));
  }
  const embedding = config.tiedHead ? "model.embed_tokens.weight" : "lm_head.weight";
  const logits = tf.matMul(norm(x, "model.norm"), w<tf.Tensor2D>(embedding), false, true);
  const rows = tf.slice(tf.logSoftmax(logits), [prompt.length - 1, 0], [response.length, -1]);
  return tf.sum(tf.mul(rows, tf.oneHot(tf.tensor1d(response, "int32"), config.vocabSize)));
}
