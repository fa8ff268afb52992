import type * as tf from "@tensorflow/tfjs";
import type { LinearGradients, LinearParameters, LowRank } from "../layers/linear.ts";
import { familyOf } from "./families.ts";
import type { ModelConfig } from "./model_config.ts";

/**
 * What frozen matrices can be kept and multiplied in: `bf32` keeps float32 and multiplies in bfloat16,
 * `bfloat16` does both in that. Everything else is float32 always: norms, softmax, attention,
 * adapters, loss, optimiser.
 */
export const precisions = ["float32", "bf32", "bfloat16"] as const;

/** One of {@link precisions}. */
export type Precision = (typeof precisions)[number];

/** A model's weights on the compute backend, under the names of its checkpoint. */
export type Network = {
  config: ModelConfig;
  weights: ReadonlyMap<string, tf.Tensor>;
  precision: Precision;
};

/** Low-rank updates by module name, such as `model.layers.0.self_attn.q_proj`. */
export type Adapters = ReadonlyMap<string, LowRank>;

/** Gradients by parameter name: `<module>.weight`, `<module>.lora_A.weight`, ... */
export type Gradients = Record<string, tf.Tensor>;

/** The weight that must be there: a checkpoint is checked when it is loaded. */
export function weightOf<T extends tf.Tensor>(network: Network, name: string): T {
  return network.weights.get(name) as T;
}

/** Who computes: the network with its adapters, `null` for the reference; see LinearParameters for `exact`. */
export type Computing = { network: Network; adapters: Adapters | null; exact?: boolean };

/** A linear layer by its module's name, with its low-rank update if `adapters` hold one. */
export function linearOf(
  { network, adapters, exact }: Computing,
  module: string,
): LinearParameters {
  return {
    weight: weightOf(network, `${module}.weight`),
    bias: weightOf(network, `${module}.bias`),
    lowRank: adapters?.get(module),
    exact,
    transposed: familyOf(network.config).isTransposed,
  };
}

/** Names the gradients of a linear layer after its parameters. */
export function nameGradients(module: string, g: LinearGradients): Gradients {
  return {
    ...(g.weight && { [`${module}.weight`]: g.weight }),
    ...(g.bias && { [`${module}.bias`]: g.bias }),
    ...(g.a && { [`${module}.lora_A.weight`]: g.a }),
    ...(g.b && { [`${module}.lora_B.weight`]: g.b }),
  };
}
