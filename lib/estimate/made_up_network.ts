import * as tf from "@tensorflow/tfjs";
import { inPrecision } from "../model/load_network.ts";
import type { ModelConfig } from "../model/model_config.ts";
import type { Network, Precision } from "../model/network.ts";
import { weightShapes } from "../model/weight_shapes.ts";

/**
 * A network of any size whose weights are made up: what its products take doesn't depend on their
 * numbers. `disposeNetwork` frees it.
 */
export function madeUpNetwork(config: ModelConfig, precision: Precision): Network {
  const weights = new Map<string, tf.Tensor>();
  for (const [name, shape] of weightShapes(config)) weights.set(name, tf.fill(shape, 0.01));
  return inPrecision({ config, weights, precision: "float32" }, precision);
}
