import { sightOf } from "../model/attention_kinds.ts";
import { blockLinears, readsAttentionInput, targetedLinears } from "../model/block_modules.ts";
import type { ModelConfig } from "../model/model_config.ts";
import type { TokenBatch } from "../types.ts";

/** What is trained: a low-rank adapter over some linear layers, or all weights. */
export type TrainedParts = { rank: number; targetModules: readonly string[] } | "all";

/** Arithmetic of a pass, in floating-point operations: a product counts two a number. */
export type PassFlops = {
  /** Log-probabilities alone, without an adapter: the reference. */
  forward: number;
  /** Log-probabilities and the gradient of what is trained. */
  gradient: number;
};

/**
 * The arithmetic that a pass can't do without: products of weights forwards and for the input's
 * gradient, attention over what each token sees, the head where a response token is predicted.
 * Recomputing, masked scores, padding and elementwise work don't count.
 */
export function passFlops(
  config: ModelConfig,
  batch: Pick<TokenBatch, "ids" | "rows" | "positions">,
  trained: TrainedParts,
): PassFlops {
  const tokens = batch.ids.length, { layers, heads, headDim, vocabSize, hiddenSize } = config;
  let products = 0, gradients = 0, firstInputs = 0;
  for (const { part, shape: [out, input] } of blockLinears(config)) {
    const once = 2 * out * input;
    products += once;
    gradients += once; // dx
    // The input of the first layer's q, k and v needs no gradient: nothing trained lies before it.
    if (readsAttentionInput(part)) firstInputs += once;
    if (trained === "all") gradients += once; // dW
  }
  if (trained !== "all") {
    for (const { shape: [out, input] } of targetedLinears(config, trained.targetModules).linears) {
      gradients += 2 * trained.rank * (out + input) * 3; // y, dx, dA and dB
    }
  }
  // Each token sees its trunk and its own tail: as many as its position says. Scores and their sum
  // forwards, twice as much backwards.
  const seenWithin = (size: number) =>
    batch.positions.reduce((sum, position) => sum + Math.min(position + 1, size), 0);
  const all = seenWithin(Infinity), near = seenWithin(config.windows?.size ?? Infinity);
  let seen = 0;
  for (let layer = 0; layer < layers; layer++) {
    seen += sightOf(config, layer) === "window" ? near : all;
  }
  const attention = 2 * 2 * seen * heads * headDim; // of all layers
  const head = 2 * batch.rows.length * vocabSize * hiddenSize;
  const forward = layers * tokens * products + attention + head;
  const backward = layers * tokens * gradients + 2 * attention + head;
  const spared = trained === "all" ? -2 * head : tokens * firstInputs; // logits again, and dW
  return { forward, gradient: forward + backward - spared };
}
