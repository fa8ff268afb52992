import type { ModelConfig } from "../../lib/model/model_config.ts";
import { initLora, type LoraAdapter, type LoraConfig } from "../../lib/lora/lora_adapter.ts";
import type { Adapters, Network } from "../../lib/model/network.ts";
import { tokenLogProbs } from "../../lib/model/token_log_probs.ts";
import { createRandom } from "../../lib/random.ts";
import { packExamples } from "../../lib/tokenizer/token_batch.ts";
import { randomWeights, TINY } from "../model/taped_llama.ts";

/** A tiny random Llama on the backend in use; the caller frees its weights. */
export function tinyNetwork(change: Partial<ModelConfig> = {}): Network {
  const config = { ...TINY, ...change };
  return { config, weights: randomWeights(config, 7), precision: "float32" };
}

/** An adapter as after some training: both halves random. */
export function trainedAdapter(config: Partial<LoraConfig>, seed: number): LoraAdapter {
  const full = { rank: 3, alpha: 6, targetModules: ["q_proj", "v_proj"], rsLora: false, ...config };
  const adapter = initLora(TINY, full, { seed }), random = createRandom(seed + 1);
  for (const { data } of adapter.parameters.values()) {
    data.forEach((_, i) => data[i] = 0.3 * random.normal());
  }
  return adapter;
}

/** What a model says about a few tokens, in nats. */
export async function someLogProbs(network: Network, adapters: Adapters | null) {
  const batch = packExamples([
    { index: 0, prompt: [1, 5, 6, 7], completion: [8, 9, 10, 2] },
    { index: 1, prompt: [1, 20], completion: [4, 3, 3, 3, 2] },
  ]);
  return await tokenLogProbs(network, adapters, batch);
}
