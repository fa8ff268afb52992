import { z } from "zod";
import type { Family } from "../family.ts";
import { count, readFields } from "../read_fields.ts";

const fields = z.object({
  vocab_size: count.default(50_257),
  n_positions: count.default(1024),
  n_embd: count,
  n_layer: count,
  n_head: count,
  n_inner: count.nullish(),
  activation_function: z.enum(["gelu_new", "gelu_pytorch_tanh"]).default("gelu_new"),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  tie_word_embeddings: z.boolean().default(true),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.literal(false).default(false),
  add_cross_attention: z.literal(false).default(false),
});

/**
 * GPT-2 (Radford et al. 2019): learned positions, layer norm, an MLP without a gate, biases everywhere,
 * and linear weights stored `[in, out]`, those of queries, keys and values as one matrix.
 */
export const gpt2: Family = {
  name: "gpt2",
  readConfig(json, path) {
    const c = readFields(fields, json, path);
    return {
      family: "gpt2",
      vocabSize: c.vocab_size,
      hiddenSize: c.n_embd,
      feedForwardSize: c.n_inner ?? 4 * c.n_embd,
      layers: c.n_layer,
      heads: c.n_head,
      keyValueHeads: c.n_head,
      headDim: c.n_embd / c.n_head,
      normEpsilon: c.layer_norm_epsilon,
      ropeTheta: null,
      ...(!c.scale_attn_weights && { attentionScale: 1 }),
      maxPositions: c.n_positions,
      tiedHead: c.tie_word_embeddings,
      attentionBias: true,
      mlpBias: true,
    };
  },
  names: {
    embedding: "transformer.wte",
    positions: "transformer.wpe",
    block: "transformer.h",
    norm: "transformer.ln_f",
    head: "lm_head",
  },
  otherwise: ["transformer.", ""], // as the first checkpoints have it
  isWhole: true,
  linears: { qkv: "attn.c_attn", o: "attn.c_proj", up: "mlp.c_fc", down: "mlp.c_proj" },
  norms: { attention: "ln_1", mlp: "ln_2" },
  normKind: "layer",
  activation: "gelu_tanh",
  isTransposed: true,
  scalesEmbedding: false,
  unbiased: [],
  defaultTargets: ["c_attn"],
};
