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
  // Probabilities and their gradients stand for one block of rows at a time; under a mask of plain
  // operations there are more of them.
  const sizes = blockRows(slots).map(({ first, rows }) => rows * (first + rows));
  const block = (config.windows ? 6 : 3) * heads * Math.max(...sizes);
  const middles = linears.gate ? 2 * f : f;
  // What goes into norms of heads and of outputs, and a number for each of their rows.
  const headNorms = norms.q ? q + kv + heads + keyValueHeads : 0;
  const outputNorms = norms.attentionOutput ? 2 * d + 2 : 0, extra = headNorms + outputNorms;
  const rows = normKind === "layer" ? 4 : 2; // of two norms
  // k, v, q, o, the stream between attention and MLP, gate, up, two norms, x A^T
  const layer = slots * (2 * kv + 2 * q) + tokens * (d + middles + rows + lows + extra);
  // Each part of a block holds what it made until its end, and an adapted layer two outputs more.
  const isAdapted = ({ part }: BlockLinear) => adapted.some((linear) => linear.part === part);
  const linearsOf = blockLinears(config);
  const adding = 2 * Math.max(0, ...linearsOf.filter(isAdapted).map(({ shape }) => shape[0]));
  const biased = linearsOf.some(({ hasBias }) => hasBias) ? f : 0;
  // What has no kernel of its own takes steps, in the backward pass more.
  const [bent, bentBack] = activation === "gelu_tanh" ? [4 * f, 7 * f] : [0, 0];
  const pieces = linears.qkv ? q + 2 * kv : 0; // of the joined queries, keys and values
  const again = adapted.length > 0 ? d : 0; // what went into an adapted layer
  const mlpSaved = d + middles; // freed between the parts of a block's backward pass
  const forward = tokens *
    Math.max(
      3 * d + f + bent + adding + biased + outputNorms,
      2 * d + 2 * q + 2 * kv + pieces + adding + extra - mlpSaved,
    );
  const downIsAdapted = adapted.some(({ part }) => part === "down");
  const mlp = tokens *
    (d + bentBack + (downIsAdapted ? f : 0) + outputNorms +
      Math.max(3 * f, 2 * f + 3 * d + again + adding));
  const attention = tokens * (2 * d + headNorms + outputNorms + pieces - mlpSaved) +
    Math.max(
      tokens * (4 * q + 6 * kv) + block,
      tokens * (q + 2 * kv + 4 * d + again + adding),
    );
  return {
    kept: layers * tokens * d + (checkpointing ? 0 : layers * layer),
    passing: Math.max(forward, mlp, attention) + (checkpointing ? layer : 0),
  };
}
