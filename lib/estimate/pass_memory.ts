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
 * add up, but for attention's padding. Follows `block.ts`, `block_backward.ts`, `attention.ts` and
 * `linear.ts` tensor by tensor.
 */
export function passNumbers(
  config: ModelConfig,
  tokens: number,
  { trained, checkpointing }: { trained: TrainedParts; checkpointing: boolean },
): PassNumbers {
  const { layers, hiddenSize: d } = config, widths = blockWidths(config, trained);
  const { q, kv, mlpSaved, norms } = widths;
  const rank = trained === "all" ? 0 : trained.rank;
  const slots = alignedRows(tokens); // a batch aligns its tokens once, see run_memory.ts
  // k, v, q, o, the stream between attention and MLP, gate, up, norms, x A^T
  const layer = slots * (2 * kv + 2 * q) +
    tokens * (mlpSaved + norms + widths.adapted.length * rank);
  const passing = Math.max(
    tokens * forwardWidth(d, widths),
    tokens * mlpBackwardWidth(d, widths),
    attentionBackwardNumbers(config, tokens, widths),
  );
  return {
    kept: layers * tokens * d + (checkpointing ? 0 : layers * layer),
    passing: passing + (checkpointing ? layer : 0),
  };
}

type BlockWidths = ReturnType<typeof blockWidths>;

/** Numbers a token of a block's tensors. */
function blockWidths(config: ModelConfig, trained: TrainedParts) {
  const { hiddenSize: d, feedForwardSize: f, heads, keyValueHeads, headDim } = config;
  const q = heads * headDim, kv = keyValueHeads * headDim;
  const { norms, linears, normKind, activation } = familyOf(config);
  const adapted = trained === "all" ? [] : targetedLinears(config, trained.targetModules).linears;
  // What goes into norms of heads and of outputs, and a number for each of their rows.
  const headNorms = norms.q ? q + kv + heads + keyValueHeads : 0;
  const outputNorms = norms.attentionOutput ? 2 * d + 2 : 0;
  const all = blockLinears(config);
  const isAdapted = ({ part }: BlockLinear) => adapted.some((linear) => linear.part === part);
  const isBent = activation === "gelu_tanh"; // has no kernel of its own and takes steps
  return {
    ...{ q, kv, f, adapted, headNorms, outputNorms },
    norms: headNorms + outputNorms + (normKind === "layer" ? 4 : 2),
    /** Freed between the parts of a block's backward pass. */
    mlpSaved: d + (linears.gate ? 2 * f : f),
    /** An adapted layer adds two outputs of its size. */
    adding: 2 * Math.max(0, ...all.filter(isAdapted).map(({ shape }) => shape[0])),
    biased: all.some(({ hasBias }) => hasBias) ? f : 0,
    bent: isBent ? 4 * f : 0,
    bentBack: isBent ? 7 * f : 0,
    /** Of the joined queries, keys and values. */
    pieces: linears.qkv ? q + 2 * kv : 0,
    /** What went into an adapted layer is computed again. */
    again: adapted.length > 0 ? d : 0,
    downInput: adapted.some(({ part }) => part === "down") ? f : 0,
  };
}

/** Each part of a block holds what it made until its end. */
function forwardWidth(d: number, of: BlockWidths): number {
  const { q, kv, f, pieces, adding, headNorms, outputNorms } = of;
  const mlp = 3 * d + f + of.bent + adding + of.biased + outputNorms;
  const attention = 2 * d + 2 * q + 2 * kv + pieces + adding + headNorms + outputNorms;
  return Math.max(mlp, attention - of.mlpSaved);
}

function mlpBackwardWidth(d: number, of: BlockWidths): number {
  const { f, again, adding } = of;
  const most = Math.max(3 * f, 2 * f + 3 * d + again + adding);
  return d + of.bentBack + of.downInput + of.outputNorms + most;
}

function attentionBackwardNumbers(config: ModelConfig, tokens: number, of: BlockWidths): number {
  const { hiddenSize: d, heads } = config, { q, kv, again, adding } = of;
  // Probabilities and their gradients stand for one block of rows at a time; under a mask, of plain
  // operations, there are more of them.
  const sizes = blockRows(alignedRows(tokens)).map(({ first, rows }) => rows * (first + rows));
  const block = (config.windows ? 6 : 3) * heads * Math.max(...sizes);
  const products = q + 2 * kv + 4 * d + again + adding;
  const most = Math.max(tokens * (4 * q + 6 * kv) + block, tokens * products);
  return tokens * (2 * d + of.headNorms + of.outputNorms + of.pieces - of.mlpSaved) + most;
}
