import { initLora } from "../../lib/lora/lora_adapter.ts";
import type { ModelConfig } from "../../lib/model/model_config.ts";
import { createRandom } from "../../lib/random.ts";
import type { Tokenizer } from "../../lib/tokenizer/tokenizer.ts";
import { joinModels, type Models } from "../../lib/train/build_models.ts";
import { trainableAdapter, trainableWeights } from "../../lib/train/trainable.ts";
import type { EncodedPair } from "../../lib/types.ts";
import { randomWeights, TINY } from "../model/taped_llama.ts";

/** A tokenizer whose tokens are their ids' decimal numbers. */
const numbers: Tokenizer = {
  encode: (text) => text.trim().split(/\s+/).map(Number),
  decode: (ids) => Array.from(ids).join(" "),
  applyChatTemplate: (messages) => messages.map(({ content }) => content).join(" "),
  vocabSize: TINY.vocabSize,
  bosId: null,
  eosId: 2,
  eosIds: [2],
  files: { "tokenizer.json": "{}" },
};

/** Models of a tiny random Llama, made without files. */
export async function tinyModels(
  { config = {}, allWeights = false, seed = 5 }: {
    config?: Partial<ModelConfig>;
    allWeights?: boolean;
    seed?: number;
  } = {},
): Promise<Models> {
  const full = { ...TINY, ...config };
  const network = {
    config: full,
    weights: randomWeights(full, seed),
    precision: "float32" as const,
  };
  const lora = { rank: 2, alpha: 4, targetModules: ["q_proj", "v_proj"], rsLora: false };
  const adapter = allWeights ? null : initLora(full, lora, { seed: 1 });
  const trainable = adapter ? trainableAdapter(adapter) : await trainableWeights(network);
  const source = { path: "tiny", basePath: "tiny", adapter: null, config: {}, hash: "tiny" };
  return joinModels({ network, tokenizer: numbers, source, adapter, trainable });
}

/** Moves what is trained to random numbers, as after some training. */
export function shake({ trainable }: Models, seed: number, size = 0.2): void {
  const random = createRandom(seed);
  for (const values of trainable.values) {
    values.forEach((value, i) => values[i] = value + size * random.normal());
  }
  trainable.refresh();
}

/** Random pairs whose responses share a beginning and end with EOS. */
export function randomPairs(count: number, seed: number): EncodedPair[] {
  const random = createRandom(seed);
  const tokens = (least: number, spread: number) =>
    Array.from({ length: least + random.below(spread) }, () => 3 + random.below(20));
  return Array.from({ length: count }, (_, index) => {
    const shared = tokens(0, 3);
    const response = () => [...shared, ...tokens(1, 4), 2];
    return { index, prompt: tokens(2, 6), chosen: response(), rejected: [...response(), 2] };
  });
}
