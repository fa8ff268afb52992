import { z } from "zod";
import { UserError } from "../errors.ts";

/** The sizes and switches of a Llama-family model, under the project's names. */
export type ModelConfig = {
  family: "llama";
  vocabSize: number;
  hiddenSize: number;
  feedForwardSize: number;
  layers: number;
  heads: number;
  keyValueHeads: number;
  headDim: number;
  normEpsilon: number;
  ropeTheta: number;
  maxPositions: number;
  tiedHead: boolean;
  attentionBias: boolean;
  mlpBias: boolean;
};

const count = z.number().int().positive();

/** The fields of a Hugging Face `config.json` that the Llama family reads. */
export const llamaConfigSchema = z.looseObject({
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  hidden_act: z.literal("silu").default("silu"),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: z.looseObject({}).nullish(),
  rope_parameters: z.looseObject({ rope_theta: z.number().positive().nullish() }).nullish(),
  max_position_embeddings: count.default(2048),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});

/** Model types whose checkpoints are Llama's in all that matters here. */
export const SUPPORTED_FAMILIES = ["llama"];

/**
 * Reads a Hugging Face `config.json` that is already parsed as JSON.
 *
 * @throws {UserError} when the family, a field or the position scaling is not supported.
 */
export function parseModelConfig(json: unknown, path: string): ModelConfig {
  const type = (json as { model_type?: unknown } | null)?.model_type;
  if (typeof type !== "string" || !SUPPORTED_FAMILIES.includes(type)) {
    throw new UserError(
      `Cannot use the model at "${path}": model_type must be one of ${
        SUPPORTED_FAMILIES.join(", ")
      }, found ${JSON.stringify(type) ?? "none"}`,
      { path, field: "model_type" },
    );
  }
  const parsed = llamaConfigSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues, field = issue.path.join(".");
    throw new UserError(`Cannot read the config of "${path}": "${field}": ${issue.message}`, {
      path,
      field,
    });
  }
  return checkShape(toModelConfig(parsed.data, path), path);
}

function toModelConfig(c: z.infer<typeof llamaConfigSchema>, path: string): ModelConfig {
  for (const field of ["rope_scaling", "rope_parameters"] as const) {
    const kind = c[field]?.rope_type ?? c[field]?.type ?? "default";
    if (kind === "default") continue;
    throw new UserError(
      `Cannot use the model at "${path}": ${field} must be plain RoPE, found ${
        JSON.stringify(kind)
      }`,
      { path, field },
    );
  }
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
    ropeTheta: c.rope_parameters?.rope_theta ?? c.rope_theta ?? 10_000,
    maxPositions: c.max_position_embeddings,
    tiedHead: c.tie_word_embeddings,
    attentionBias: c.attention_bias,
    mlpBias: c.mlp_bias,
  };
}

function checkShape(config: ModelConfig, path: string): ModelConfig {
  const { heads, keyValueHeads, headDim } = config;
  if (heads % keyValueHeads || headDim % 2) {
    throw new UserError(
      `Cannot use the model at "${path}": attention heads must be a multiple of key/value heads and ` +
        `a head's size even, found ${heads}, ${keyValueHeads} and ${headDim}`,
      { path, field: "num_attention_heads" },
    );
  }
  return config;
}
