import type { HostTensor } from "../types.ts";
import type { Random } from "../random.ts";
import { llamaWeights } from "./llama_weights.ts";
import type { ModelConfig } from "./model_config.ts";

/** Spread of a fresh matrix, as transformers' `initializer_range` has it. */
const SPREAD = 0.02;
/**
 * Spread of the embedding. At 0.02 words used alike ("knee", "hip") soon share almost one vector
 * where the head is tied to the embedding, and a small model took over 900 steps of a batch of 64
 * without learning to copy them; at 0.1 it copies every word after 400 steps of a batch of 16.
 */
const EMBEDDING_SPREAD = 0.1;

/** Draws the weights of an untrained model: matrices normal around 0, norms 1, biases 0. */
export function initWeights(config: ModelConfig, random: Random): Map<string, HostTensor> {
  const weights = new Map<string, HostTensor>();
  for (const [name, shape] of llamaWeights(config)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b));
    if (name.endsWith("norm.weight")) data.fill(1);
    else if (!name.endsWith(".bias")) {
      const spread = name === "model.embed_tokens.weight" ? EMBEDDING_SPREAD : SPREAD;
      for (let i = 0; i < data.length; i++) data[i] = spread * random.normal();
    }
    weights.set(name, { shape, data });
  }
  return weights;
}
