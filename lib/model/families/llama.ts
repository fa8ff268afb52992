import { z } from "zod";
import type { Family } from "../family.ts";
import type { ModelConfig } from "../model_config.ts";
import { count, readFields } from "../read_fields.ts";
import { readRope, ropeFields } from "../read_rope.ts";

/** The fields of a `config.json` that Llama and its kin read. */
export const llamaFields = z.object({
  ...ropeFields,
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  hidden_act: z.literal("silu").default("silu"),
  rms_norm_eps: z.number().positive().default(1e-6),
  max_position_embeddings: count.default(2048),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});

/** The sizes that these fields say. */
export function llamaConfig(
  c: Omit<z.infer<typeof llamaFields>, "hidden_act">,
  path: string,
): ModelConfig {
  return {
    family: "llama",
    vocabSize: c.vocab_size,
    hiddenSize: c.hidden_size,
    feedForwardSize: c.intermediate_size,
    layers: c.num_hidden_layers,
    heads: c.num_attention_heads,
    keyValueHeads: c.num_key_value_heads ?? c.num_attention_heads,
    headDim: c.head_dim ?? c.hidden_size / c.num_attention_heads,
    normEpsilon: c.rms_norm_eps,
    ...readRope(c, path),
    maxPositions: c.max_position_embeddings,
    tiedHead: c.tie_word_embeddings,
    attentionBias: c.attention_bias,
    mlpBias: c.mlp_bias,
  };
}

/** Llama (arXiv 2302.13971), and what others are told apart from. */
export const llama: Family = {
  name: "llama",
  readConfig: (json, path) => llamaConfig(readFields(llamaFields, json, path), path),
  names: {
    embedding: "model.embed_tokens",
    block: "model.layers",
    norm: "model.norm",
    head: "lm_head",
  },
  otherwise: ["model.", ""], // a model that was saved without its head
  isWhole: true,
  linears: {
    q: "self_attn.q_proj",
    k: "self_attn.k_proj",
    v: "self_attn.v_proj",
    o: "self_attn.o_proj",
    gate: "mlp.gate_proj",
    up: "mlp.up_proj",
    down: "mlp.down_proj",
  },
  norms: { attention: "input_layernorm", mlp: "post_attention_layernorm" },
  normKind: "rms",
  activation: "silu",
  isTransposed: false,
  scalesEmbedding: false,
  unbiased: [],
  defaultTargets: ["q_proj", "v_proj"],
};
