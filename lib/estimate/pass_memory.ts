import { alignedRows } from "../backend/aligned_rows.ts";
import { blockRows } from "../layers/attention_layout.ts";
import { type BlockLinear, blockLinears, targetedLinears } from "../model/block_modules.ts";
import { familyOf } from "../model/families.ts";
import type { ModelConfig } from "../model/model_config.ts";
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
 * add up, but for attention's padding. Follows `block.ts`, `attention.ts` and `linear.ts`
 * tensor by tensor.
 */
export function passNumbers(
  config: ModelConfig,
  tokens: number,
  { trained, checkpointing }: { trained: TrainedParts; checkpointing: boolean },
): PassNumbers {
  const { layers, hiddenSize: d, feedForwardSize: f, heads, keyValueHeads, headDim } = config;
  const q = heads * headDim, kv = keyValueHeads * headDim;
  const { norms, linears, normKind, activation } = familyOf(config);
  const adapted = trained === "all" ? [] : targetedLinears(config, trained.targetModules).linears;
  const lows = trained === "all" ? 0 : adapted.length * trained.rank;
  const slots = alignedRows(tokens); // a batch aligns its tokens once, see run_memory.ts
  // Probabilities and their gradients stand for one block of rows at a time.
  const sizes = blockRows(slots).map(({ first, rows }) => rows * (first + rows));
  const block = heads * Math.max(...sizes);
  const middles = linears.gate ? 2 * f : f;
  // What goes into norms of heads and of outputs, and a number for each of their rows.
  const headNorms = norms.q ? q + kv + heads + keyValueHeads : 0;
  const outputNorms = norms.attentionOutput ? 2 * d + 2 : 0, extra = headNorms + outputNorms;
  const rows = normKind === "layer" ? 4 : 2; // of two norms
  // k, v, q, o, the stream between attention and MLP, gate, up, two norms, x A^T
  const layer = slots * (2 * kv + 2 * q) + tokens * (d + middles + rows + lows + extra);
  // A tidy block holds all that it made until its end; an adapted layer adds two of its outputs.
  const isAdapted = ({ part }: BlockLinear) => adapted.some((linear) => linear.part === part);
  const outputs = (linear: BlockLinear) =>
    linear.shape[0] * (1 + (isAdapted(linear) ? 2 : 0) + (linear.hasBias ? 1 : 0));
  const bent = activation === "gelu_tanh" ? 4 * f : 0; // has no kernel of its own
  const pieces = linears.qkv ? q + 2 * kv : 0; // of the joined queries, keys and values
  const forward = tokens *
    (3 * d + f + 2 * q + kv + extra + bent + pieces +
      blockLinears(config).reduce((sum, each) => sum + outputs(each), 0));
  const downIsAdapted = adapted.some(({ part }) => part === "down");
  const mlp = tokens * (3 * f + 4 * d + bent + (downIsAdapted ? f : 0) + outputNorms);
  const attention = tokens * (6 * q + 6 * kv + 5 * d + headNorms + outputNorms + pieces) +
    3 * block;
  return {
    kept: layers * tokens * d + (checkpointing ? 0 : layers * layer),
    passing: Math.max(forward, mlp, attention) + (checkpointing ? layer : 0),
  };
}
