import { alignedRows } from "../backend/aligned_rows.ts";
import { blockRows } from "../layers/attention_layout.ts";
import { linearShape } from "../model/llama_weights.ts";
import type { ModelConfig } from "../model/model_config.ts";
import { BLOCK_LINEARS } from "../model/llama_block.ts";
import type { TrainedParts } from "./pass_flops.ts";

/** Numbers (float32) that a gradient pass holds, by when. */
export type PassNumbers = {
  /** Kept from the forward for the backward pass, all layers together. */
  kept: number;
  /** Held beside that while one layer is under way. */
  passing: number;
};

/**
 * What one sequence (a pair's trie) of so many tokens makes a gradient pass hold; over a batch these
 * add up, but for attention's padding. Follows `llama_block.ts`, `attention.ts` and `linear.ts`
 * tensor by tensor.
 */
export function passNumbers(
  config: ModelConfig,
  tokens: number,
  { trained, checkpointing }: { trained: TrainedParts; checkpointing: boolean },
): PassNumbers {
  const { layers, hiddenSize: d, feedForwardSize: f, heads, keyValueHeads, headDim } = config;
  const q = heads * headDim, kv = keyValueHeads * headDim;
  const adapted = (name: string) => trained !== "all" && trained.targetModules.includes(name);
  const lows = trained === "all" ? 0 : BLOCK_LINEARS.filter(adapted).length * trained.rank;
  const slots = alignedRows(tokens); // a batch aligns its tokens once, see run_memory.ts
  const probabilities = heads * blockRows(slots).reduce(
    (sum, { first, rows }) => sum + rows * (first + rows),
    0,
  );
  // k, v, q, o, the stream between attention and MLP, gate, up, two norms, x A^T
  const layer = slots * (2 * kv + 2 * q) + tokens * (d + 2 * f + 2 + lows) + probabilities;
  // A tidy block holds all that it made until its end; an adapted layer adds two of its outputs.
  const linear = (name: string) => linearShape(config, name)[0] * (adapted(name) ? 3 : 1);
  const forward = tokens *
    (3 * d + f + 2 * q + kv + BLOCK_LINEARS.reduce((sum, name) => sum + linear(name), 0));
  const mlp = tokens * (3 * f + 4 * d + (adapted("down_proj") ? f : 0));
  const attention = tokens * (6 * q + 6 * kv + 5 * d) + 2 * probabilities;
  return {
    kept: layers * tokens * d + (checkpointing ? 0 : layers * layer),
    passing: Math.max(forward, mlp, attention) + (checkpointing ? layer : 0),
  };
}
