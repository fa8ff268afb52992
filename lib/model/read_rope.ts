import { z } from "zod";
import type { RopeScaling } from "../layers/rope_frequencies.ts";
import { count, readFields, refuseField } from "./read_fields.ts";

const above = z.number().positive();

/** How a config.json writes the turning of heads, older and newer. */
export const ropeFields = {
  rope_theta: above.nullish(),
  rope_scaling: z.looseObject({}).nullish(),
  rope_parameters: z.looseObject({ rope_theta: above.nullish() }).nullish(),
  original_max_position_embeddings: count.nullish(),
  partial_rotary_factor: z.number().nullish(),
};

const scalingSchemas = {
  linear: z.object({ factor: above }),
  llama3: z.object({
    factor: above,
    low_freq_factor: above,
    high_freq_factor: above,
    original_max_position_embeddings: count,
  }),
  yarn: z.object({
    factor: above,
    original_max_position_embeddings: count,
    beta_fast: above.nullish(),
    beta_slow: above.nullish(),
    attention_factor: above.nullish(),
    mscale: z.number().nullish(),
    mscale_all_dim: z.number().nullish(),
    truncate: z.boolean().default(true),
  }),
};

/**
 * The base of RoPE's angles, and how they are stretched.
 *
 * @throws {UserError} when the stretching is of a kind that isn't computed, or lacks a number. How long
 * texts were before it is never guessed.
 */
export function readRope(
  fields: z.infer<z.ZodObject<typeof ropeFields>>,
  path: string,
): { ropeTheta: number; ropeScaling?: RopeScaling } {
  const field = fields.rope_parameters ? "rope_parameters" : "rope_scaling";
  const json = fields[field] ?? {};
  const ropeTheta = fields.rope_parameters?.rope_theta ?? fields.rope_theta ?? 10_000;
  const part = json.partial_rotary_factor ?? fields.partial_rotary_factor ?? 1;
  if (part !== 1) {
    const wanted = "1: whole heads are turned";
    throw refuseField(path, { field: "partial_rotary_factor", wanted, found: part });
  }
  const original = fields.original_max_position_embeddings; // Phi's place for it, which comes first
  const whole = original ? { ...json, original_max_position_embeddings: original } : json;
  return { ropeTheta, ...readScaling(whole, { field, path }) };
}

function readScaling(
  json: Record<string, unknown>,
  { field, path }: { field: string; path: string },
): { ropeScaling?: RopeScaling } {
  const type = (json.rope_type ?? json.type ?? "default") as string;
  if (type === "default") return {};
  const read = <T extends z.ZodType>(schema: T) =>
    readFields(z.object({ [field]: schema }), { [field]: json }, path)[field] as z.infer<T>;
  switch (type) {
    case "linear":
      return { ropeScaling: { type, factor: read(scalingSchemas.linear).factor } };
    case "llama3": {
      const llama3 = read(scalingSchemas.llama3);
      return {
        ropeScaling: {
          type,
          factor: llama3.factor,
          lowFrequencyFactor: llama3.low_freq_factor,
          highFrequencyFactor: llama3.high_freq_factor,
          originalPositions: llama3.original_max_position_embeddings,
        },
      };
    }
    case "yarn": {
      const yarn = read(scalingSchemas.yarn), { factor, truncate } = yarn;
      return {
        ropeScaling: {
          type,
          factor,
          originalPositions: yarn.original_max_position_embeddings,
          betaFast: yarn.beta_fast ?? 32,
          betaSlow: yarn.beta_slow ?? 1,
          attentionFactor: yarn.attention_factor ?? yarnAttentionFactor(yarn),
          truncate,
        },
      };
    }
    default: {
      const wanted = `one of default, ${Object.keys(scalingSchemas).join(", ")}`;
      throw refuseField(path, { field: `${field}.rope_type`, wanted, found: type });
    }
  }
}

/** Eq. 22 of arXiv 2309.00071; where a config has two scales, as DeepSeek's do, their ratio. */
function yarnAttentionFactor(
  { factor, mscale, mscale_all_dim: all }: z.infer<typeof scalingSchemas.yarn>,
): number {
  const scale = (times: number) => factor <= 1 ? 1 : 0.1 * times * Math.log(factor) + 1;
  return mscale && all ? scale(mscale) / scale(all) : scale(1);
}
