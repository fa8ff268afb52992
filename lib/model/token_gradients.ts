import * as tf from "@tensorflow/tfjs";
import type { TokenBatch } from "../types.ts";
import { alignValues } from "../backend/aligned_rows.ts";
import { headBackward, headForward, headWeightGradient } from "../layers/head.ts";
import { blockAgain, type BlockContext, blockForward, type BlockSaved } from "./block.ts";
import { blockBackward } from "./block_backward.ts";
import { embeddingGradients, headName } from "./embedding.ts";
import { type Adapters, type Gradients, type Network, weightOf } from "./network.ts";
import { blockContext, disposeContext, embedBatch, finalNorm } from "./stack.ts";

/** Options of the backward pass. */
export type GradientOptions = {
  /** Give the gradients of all weights too, not of the adapters alone. */
  weights?: boolean;
  /** Keep one tensor a layer and compute the rest again: less memory for more time. */
  checkpointing?: boolean;
};

/**
 * One forward and backward pass: the tokens' log-probabilities and, for the loss whose slope with
 * respect to them `slope` returns, the gradients of the parameters.
 *
 * **Shapes and dtypes**: float32; `slope` takes and returns `[n]`, a gradient has its parameter's
 * shape and name.
 * **Memory**: the caller owns the gradients, which stand on the compute backend.
 *
 * @example B is zero at first, so A has no gradient yet.
 * ```ts
 * import assert from "node:assert/strict";
 * import * as tf from "@tensorflow/tfjs";
 * import { packExamples } from "../tokenizer/token_batch.ts";
 * import { buildModels } from "../train/build_models.ts";
 * import { tokenGradients } from "./token_gradients.ts";
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const { network, trainable } = models;
 * const batch = packExamples([{ index: 0, prompt: [1, 5], completion: [7, 2] }]);
 * const slope = (logProbs: Float32Array) => logProbs.map(() => -1); // of the negative sum
 * const { gradients } = await tokenGradients(network, trainable.adapters(), batch, slope);
 * const largest = (half: string) =>
 *   tf.max(tf.abs(gradients[`model.layers.0.self_attn.q_proj.lora_${half}.weight`])).dataSync()[0];
 * assert.equal(largest("A"), 0);
 * assert(largest("B") > 0);
 * tf.dispose(gradients);
 * ```
 */
export async function tokenGradients(
  network: Network,
  adapters: Adapters | null,
  batch: TokenBatch,
  slope: (logProbs: Float32Array) => Float32Array,
  { weights = false, checkpointing = false }: GradientOptions = {},
): Promise<{ logProbs: Float32Array; gradients: Gradients }> {
  if (weights && network.precision !== "float32") {
    throw new RangeError(`Cannot give gradients of weights in ${network.precision}`);
  }
  const context = blockContext({ network, adapters }, batch);
  let pass: Pass | undefined;
  try {
    pass = tf.tidy(() => forwardPass(context, batch, !checkpointing));
    const logProbs = await pass.logProbs.data<"float32">();
    const slopes = slope(logProbs);
    const gradients = tf.tidy(() =>
      backwardPass(context, pass!, batch, { dLogProbs: tf.tensor1d(slopes), weights })
    );
    return { logProbs, gradients };
  } finally {
    if (pass) tf.dispose(pass);
    disposeContext(context);
  }
}

type Pass = ReturnType<typeof forwardPass>;

function forwardPass(context: BlockContext, batch: TokenBatch, keep: boolean) {
  const { network } = context;
  const inputs: tf.Tensor2D[] = [], saved: (BlockSaved | undefined)[] = [];
  let x = embedBatch(network, batch);
  for (let layer = 0; layer < network.config.layers; layer++) {
    inputs.push(x);
    const block = tf.tidy(() => {
      const { y, saved } = blockForward(x, layer, context);
      return { y, saved: keep ? saved : undefined };
    });
    saved.push(block.saved);
    x = block.y;
  }
  const rowIds = tf.tensor1d(batch.rows, "int32");
  const rows = tf.gather(x, rowIds);
  x.dispose();
  const { y: hidden, saved: normed } = finalNorm(network).forward(rows);
  const weight = weightOf<tf.Tensor2D>(network, headName(network));
  const targets = tf.tensor1d(batch.targets, "int32");
  const { logProbs, unit } = headForward(hidden, weight, targets, { unit: true });
  const head = { rows, normed, hidden, unit: unit!, targets, rowIds };
  return { inputs, saved, head, logProbs };
}

/** Runs the blocks backwards; each one's saved tensors are freed as soon as it is done. */
function backwardPass(
  context: BlockContext,
  { inputs, saved, head }: Pass,
  batch: TokenBatch,
  { dLogProbs, weights }: { dLogProbs: tf.Tensor1D; weights: boolean },
): Gradients {
  const { network } = context;
  const { dx, gradients } = headPartBackward(network, head, dLogProbs, { weights });
  let dy = tf.unsortedSegmentSum(dx, head.rowIds, inputs[0].shape[0]) as tf.Tensor2D;
  tf.dispose([dx, head]);
  for (let layer = inputs.length - 1; layer >= 0; layer--) {
    const block = tf.tidy(() => {
      const kept = saved[layer] ?? blockAgain(inputs[layer], layer, context);
      const needs = { input: weights || layer > 0, weights };
      return blockBackward(dy, inputs[layer], kept, layer, context, needs);
    });
    Object.assign(gradients, block.gradients);
    tf.dispose([dy, inputs[layer], saved[layer]]);
    if (block.dx) dy = block.dx;
  }
  if (!weights) return gradients;
  const ids = alignValues(batch.ids), positions = alignValues(batch.positions);
  for (const [name, own] of Object.entries(embeddingGradients(network, dy, { ids, positions }))) {
    gradients[name] = name in gradients ? tf.add(gradients[name], own) : own; // the tied head's
  }
  return gradients;
}

function headPartBackward(
  network: Network,
  head: Pass["head"],
  dLogProbs: tf.Tensor1D,
  needs: { weights: boolean },
): { dx: tf.Tensor2D; gradients: Gradients } {
  const dHidden = headBackward(dLogProbs, head.unit);
  const { dx, gradients } = finalNorm(network).backward(dHidden, head.rows, head.normed, needs);
  if (needs.weights) {
    const name = headName(network), weight = weightOf<tf.Tensor2D>(network, name);
    gradients[name] = headWeightGradient(dLogProbs, head.hidden, weight, head.targets);
  }
  return { dx, gradients };
}
