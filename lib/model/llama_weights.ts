import { BLOCK_LINEARS, moduleName } from "./llama_block.ts";
import type { ModelConfig } from "./model_config.ts";

/** `[out, in]` of a block's linear layer, by the last part of its name. */
export function linearShape(config: ModelConfig, name: string): [out: number, input: number] {
  const { hiddenSize, feedForwardSize, heads, keyValueHeads, headDim } = config;
  switch (name) {
    case "q_proj":
      return [heads * headDim, hiddenSize];
    case "k_proj":
    case "v_proj":
      return [keyValueHeads * headDim, hiddenSize];
    case "o_proj":
      return [hiddenSize, heads * headDim];
    case "down_proj":
      return [hiddenSize, feedForwardSize];
    default:
      return [feedForwardSize, hiddenSize];
  }
}

/** Every weight that a Llama checkpoint of this configuration holds, with its shape. */
export function llamaWeights(config: ModelConfig): Map<string, number[]> {
  const { vocabSize, hiddenSize, layers, tiedHead, attentionBias, mlpBias } = config;
  const weights = new Map<string, number[]>();
  weights.set("model.embed_tokens.weight", [vocabSize, hiddenSize]);
  for (let layer = 0; layer < layers; layer++) {
    weights.set(`model.layers.${layer}.input_layernorm.weight`, [hiddenSize]);
    for (const name of BLOCK_LINEARS) {
      const module = moduleName(layer, name), shape = linearShape(config, name);
      weights.set(`${module}.weight`, shape);
      const bias = module.includes("self_attn") ? attentionBias : mlpBias;
      if (bias) weights.set(`${module}.bias`, [shape[0]]);
    }
    weights.set(`model.layers.${layer}.post_attention_layernorm.weight`, [hiddenSize]);
  }
  weights.set("model.norm.weight", [hiddenSize]);
  if (!tiedHead) weights.set("lm_head.weight", [vocabSize, hiddenSize]);
  return weights;
}
