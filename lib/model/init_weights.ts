import type { HostTensor } from "../types.ts";
import type { Random } from "../random.ts";
import { llamaWeights } from "./llama_weights.ts";
import type { ModelConfig } from "./model_config.ts";

/** Spread of a fresh matrix, as transformers' `initializer_range` has it. */
const SPREAD = 0.02;

/** Draws the weights of an untrained model: matrices normal around 0, norms 1, biases 0. */
export function initWeights(config: ModelConfig, random: Random): Map<string, HostTensor> {
  const weights = new Map<string, HostTensor>();
  for (const [name, shape] of llamaWeights(config)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b));
    if (name.endsWith("norm.weight")) data.fill(1);
    else if (!name.endsWith(".bias")) {
      for (let i = 0; i < data.length; i++) data[i] = SPREAD * random.normal();
    }
    weights.set(name, { shape, data });
  }
  return weights;
}
