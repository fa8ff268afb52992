import { linearShape } from "../lib/model/llama_weights.ts";
import { BLOCK_LINEARS } from "../lib/model/llama_block.ts";
import type { ModelConfig } from "../lib/model/model_config.ts";
import { packPairs } from "../lib/tokenizer/token_batch.ts";
import type { EncodedPair } from "../lib/types.ts";

/**
 * The arithmetic that one DPO step with a LoRA adapter can't do without: products of frozen weights
 * forwards and for the input's gradient, attention over what each token sees, the head where a
 * response token is predicted. Recomputing, masked scores and elementwise work don't count.
 */
export function usefulFlops(
  config: ModelConfig,
  pairs: EncodedPair[],
  { rank, targetModules }: { rank: number; targetModules: string[] },
): number {
  const batch = packPairs(pairs), tokens = batch.ids.length, rows = batch.rows.length;
  let perToken = 0;
  for (const name of BLOCK_LINEARS) {
    const [out, input] = linearShape(config, name);
    perToken += 2 * out * input * 2; // y and dx
    if (targetModules.includes(name)) perToken += 2 * rank * (out + input) * 3; // y, dx, dA and dB
  }
  // Each token sees its trunk and its own tail: as many as its position says. Scores and their sum
  // forwards, twice as much backwards.
  const seen = batch.positions.reduce((sum, position) => sum + position + 1, 0);
  const attention = 6 * 2 * seen * config.heads * config.headDim;
  const head = 2 * 2 * rows * config.vocabSize * config.hiddenSize;
  return config.layers * (tokens * perToken + attention) + head;
}
