import * as tf from "@tensorflow/tfjs";
import type { TokenBatch } from "../types.ts";
import { alignValues } from "../backend/aligned_rows.ts";
import { weightProduct } from "../backend/half_matrix.ts";
import { type AttentionContext, attentionForward } from "../layers/attention.ts";
import { headBackward, headForward, headWeightGradient } from "../layers/head.ts";
import {
  type AttentionLayout,
  attentionLayout,
  disposeLayout,
} from "../layers/attention_layout.ts";
import { headTables, type Sight, sightOf, sightsOf } from "./attention_kinds.ts";
import { blockAgain, type BlockContext, blockForward, type BlockSaved } from "./block.ts";
import { blockBackward } from "./block_backward.ts";
import { normOf } from "./block_norm.ts";
import { embed, embeddingGradients, headName } from "./embedding.ts";
import { familyOf } from "./families.ts";
import {
  type Adapters,
  type Computing,
  type Gradients,
  type Network,
  weightOf,
} from "./network.ts";

/**
 * The log-probability of each predicted token of a batch, `[n]` in nats. With `adapters` it is the
 * policy that answers, with `null` the reference; the weights are the same ones. `exact` computes in
 * float32 also where weights are multiplied in bfloat16: for evaluation, not beside a gradient.
 *
 * **Shapes and dtypes**: float32 `[n]`, in the order of the batch's `rows`.
 * **Memory**: no tensor is left behind.
 *
 * @example All tokens that could follow share a probability of 1; the one that follows has less.
 * ```ts
 * import assert from "node:assert/strict";
 * import { packExamples } from "../tokenizer/token_batch.ts";
 * import { buildModels } from "../train/build_models.ts";
 * import { tokenLogProbs } from "./stack.ts";
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const batch = packExamples([{ index: 0, prompt: [1, 5], completion: [7, 8, 2] }]);
 * const logProbs = await tokenLogProbs(models.network, null, batch);
 * assert.equal(logProbs.length, 3);
 * assert(logProbs.every((logProb) => logProb < 0));
 * ```
 */
export async function tokenLogProbs(
  network: Network,
  adapters: Adapters | null,
  batch: TokenBatch,
  { exact = false }: { exact?: boolean } = {},
): Promise<Float32Array> {
  const targets = () => tf.tensor1d(batch.targets, "int32");
  return await readTokens(
    { network, adapters, exact },
    batch,
    (hidden, weight) => headForward(hidden, weight, targets(), { unit: false, exact }).logProbs,
  );
}

/**
 * The logits of each predicted token of a batch, row-major: what {@link tokenLogProbs} never holds all
 * at once, for looking at a few of them. Always float32 products.
 *
 * **Shapes and dtypes**: float32 `[n, V]`, rows in the order of the batch's `rows`.
 * **Memory**: `4 n V` bytes on the host, as much on the backend while it runs; no tensor is left behind.
 *
 * @example Less the logarithm of their exponentials' sum, logits are log-probabilities.
 * ```ts
 * import assert from "node:assert/strict";
 * import { packExamples } from "../tokenizer/token_batch.ts";
 * import { buildModels } from "../train/build_models.ts";
 * import { tokenLogits, tokenLogProbs } from "./stack.ts";
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const batch = packExamples([{ index: 0, prompt: [1, 5], completion: [7] }]);
 * const logits = await tokenLogits(models.network, null, batch);
 * const logSum = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
 * const [logProb] = await tokenLogProbs(models.network, null, batch);
 * assert(Math.abs(logits[7] - logSum - logProb) < 1e-4);
 * ```
 */
export async function tokenLogits(
  network: Network,
  adapters: Adapters | null,
  batch: TokenBatch,
): Promise<Float32Array> {
  return await readTokens(
    { network, adapters, exact: true },
    batch,
    (hidden, weight) => {
      const logits = weightProduct(hidden, weight, { transpose: true, exact: true });
      return tf.reshape<tf.Rank.R1>(logits, [-1]);
    },
  );
}

/**
 * A forward pass, and a number that is read from the state `[n, D]` of each predicted token and the
 * head's weight. No tensor is left behind.
 */
export async function readTokens(
  computing: Computing,
  batch: TokenBatch,
  read: (hidden: tf.Tensor2D, weight: tf.Tensor2D) => tf.Tensor1D,
): Promise<Float32Array> {
  const context = blockContext(computing, batch), { network } = computing;
  let values: tf.Tensor1D | undefined;
  try {
    const weight = weightOf<tf.Tensor2D>(network, headName(network));
    values = tf.tidy(() => read(lastHidden(context, batch), weight));
    return await values.data<"float32">();
  } finally {
    values?.dispose();
    disposeContext(context);
  }
}

/** Each predicted token's state; a layer's tensors are freed before the next one runs. */
function lastHidden(context: BlockContext, batch: TokenBatch): tf.Tensor2D {
  const { network } = context;
  let x = embedBatch(network, batch);
  for (let layer = 0; layer < network.config.layers; layer++) {
    const y = tf.tidy(() => blockForward(x, layer, context).y);
    x.dispose();
    x = y;
  }
  const rows = tf.gather(x, tf.tensor1d(batch.rows, "int32"));
  return finalNorm(network).forward(rows).y;
}

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
 * import { tokenGradients } from "./stack.ts";
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

/**
 * The masks and angles of a batch, for rows that are aligned: those behind its own are tokens that no
 * sequence has, that nobody sees, and that get no gradient.
 */
export function blockContext(
  computing: Computing,
  batch: Pick<TokenBatch, "groups" | "segments" | "positions">,
): BlockContext {
  const { config } = computing.network, positions = alignValues(batch.positions);
  const longest = batch.positions.reduce((most, position) => Math.max(most, position + 1), 0);
  const tokens = positions.length, { windows } = config;
  const contexts: Partial<Record<Sight, AttentionContext>> = {};
  let whole: AttentionLayout | undefined; // for all layers whose window doesn't cut this batch
  for (const sight of sightsOf(config)) {
    const isCut = sight === "window" && longest > windows!.size;
    const layout = isCut
      ? attentionLayout(batch, config, tokens, { ...windows!, positions: batch.positions })
      : whole ??= attentionLayout(batch, config, tokens);
    contexts[sight] = { layout, shape: config, ...headTables(config, sight, positions) };
  }
  return {
    ...computing,
    attention: contexts,
    attend: (q, k, v, layer) => attentionForward(q, k, v, contexts[sightOf(config, layer)]!),
  };
}

function embedBatch(network: Network, { ids, positions }: TokenBatch): tf.Tensor2D {
  return embed(network, alignValues(ids), alignValues(positions));
}

/** The norm before the head. */
export function finalNorm(network: Network): ReturnType<typeof normOf> {
  return normOf(network, familyOf(network.config).names.norm);
}

/** Frees what {@link blockContext} made. */
export function disposeContext({ attention }: BlockContext): void {
  const contexts = Object.values(attention ?? {});
  for (const { queryTables, keyTables } of contexts) {
    tf.dispose([{ ...queryTables }, { ...keyTables }]);
  }
  for (const layout of new Set(contexts.map(({ layout }) => layout))) disposeLayout(layout);
}
