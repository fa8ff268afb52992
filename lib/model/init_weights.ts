import type { HostTensor } from "../types.ts";
import type { Random } from "../random.ts";
import { familyOf } from "./families.ts";
import type { ModelConfig } from "./model_config.ts";
import { weightShapes } from "./weight_shapes.ts";

/** Spread of a fresh matrix, as transformers' `initializer_range` has it. */
const SPREAD = 0.02;
/**
 * Spread of the embedding. At 0.02 words used alike ("knee", "hip") soon share almost one vector
 * where the head is tied to the embedding, and a small model took over 900 steps of a batch of 64
 * without learning to copy them; at 0.1 it copies every word after 400 steps of a batch of 16.
 */
const EMBEDDING_SPREAD = 0.1;

/** Draws the weights of an untrained model: matrices normal around 0, norms neutral, biases 0. */
export function initWeights(config: ModelConfig, random: Random): Map<string, HostTensor> {
  const weights = new Map<string, HostTensor>();
  const { names, normKind } = familyOf(config);
  for (const [name, shape] of weightShapes(config)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b));
    if (shape.length === 2) {
      const spread = name === `${names.embedding}.weight` ? EMBEDDING_SPREAD : SPREAD;
      for (let i = 0; i < data.length; i++) data[i] = spread * random.normal();
    } else if (!name.endsWith(".bias") && normKind !== "rms_plus_one") {
      data.fill(1);
    }
    weights.set(name, { shape, data });
  }
  return weights;
}
