import { z } from "zod";
import type { Family } from "../family.ts";
import { count, readFields } from "../read_fields.ts";
import { ropeFields } from "../read_rope.ts";
import { windowedLayers } from "../windowed_layers.ts";
import { llama, llamaConfig, llamaFields } from "./llama.ts";

const fields = llamaFields.omit({ hidden_act: true }).extend({
  vocab_size: count.default(262_208),
  num_attention_heads: count.default(8),
  num_key_value_heads: count.nullable().default(4),
  head_dim: count.default(256),
  hidden_activation: z.literal("gelu_pytorch_tanh").default("gelu_pytorch_tanh"),
  max_position_embeddings: count.default(131_072),
  tie_word_embeddings: z.boolean().default(true),
  query_pre_attn_scalar: z.number().positive().default(256),
  sliding_window: count.default(4096),
  sliding_window_pattern: count.default(6),
  layer_types: z.array(z.enum(["full_attention", "sliding_attention"])).nullish(),
  rope_local_base_freq: z.number().positive().nullish(),
  rope_parameters: z.object({
    full_attention: ropeFields.rope_parameters,
    sliding_attention: z.object({
      rope_theta: z.number().positive().nullish(),
      rope_type: z.literal("default").default("default"),
    }).nullish(),
  }).nullish().transform((value) => value ?? {}),
  attn_logit_softcapping: z.null().optional(),
  final_logit_softcapping: z.null().optional(),
  use_bidirectional_attention: z.literal(false).nullish(),
});

/** Gemma 3's text models (arXiv 2503.19786): most layers have a window, and turn by another base there. */
export const gemma3: Family = {
  ...llama,
  name: "gemma3_text",
  readConfig(json, path) {
    const c = readFields(fields, json, path),
      { full_attention, sliding_attention } = c.rope_parameters;
    const isWindowed = (layer: number) => (layer + 1) % c.sliding_window_pattern !== 0;
    const layers = windowedLayers(c, path, isWindowed);
    const rope = { ...c, rope_theta: c.rope_theta ?? 1e6, rope_parameters: full_attention };
    return {
      ...llamaConfig({ ...c, ...rope }, path),
      family: "gemma3_text",
      attentionScale: c.query_pre_attn_scalar ** -0.5,
      ...(layers.includes(true) && {
        windows: {
          size: c.sliding_window,
          layers,
          ropeTheta: sliding_attention?.rope_theta ?? c.rope_local_base_freq ?? 1e4,
        },
      }),
      mlpBias: false,
    };
  },
  norms: {
    attention: "input_layernorm",
    attentionOutput: "post_attention_layernorm",
    mlp: "pre_feedforward_layernorm",
    mlpOutput: "post_feedforward_layernorm",
    q: "self_attn.q_norm",
    k: "self_attn.k_norm",
  },
  normKind: "rms_plus_one",
  activation: "gelu_tanh",
  scalesEmbedding: true,
};

/** The text part of Gemma 3's models that see: the same weights under other names, beside eyes. */
export const gemma3Seeing: Family = {
  ...gemma3,
  name: "gemma3",
  readConfig(json, path) {
    const { text_config } = readFields(z.object({ text_config: z.looseObject({}) }), json, path);
    return { ...gemma3.readConfig(text_config, path), family: "gemma3" };
  },
  names: {
    embedding: "model.language_model.embed_tokens",
    block: "model.language_model.layers",
    norm: "model.language_model.norm",
    head: "lm_head",
  },
  otherwise: ["model.language_model.", "language_model.model."], // as nearly all are saved
  isWhole: false,
};
