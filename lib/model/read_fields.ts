import { z } from "zod";
import { UserError } from "../errors.ts";
import type { RopeScaling } from "../layers/rope_frequencies.ts";

export const count = z.number().int().positive();

/** Reads the fields that a schema names; others are passed over. */
export function readFields<T extends z.ZodType>(
  schema: T,
  json: unknown,
  path: string,
): z.infer<T> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues, field = issue.path.join(".");
  throw new UserError(`Cannot read the config of "${path}": "${field}": ${issue.message}`, {
    path,
    field,
  });
}

/** An error that says which field asks for what isn't computed here. */
export function refuseField(
  path: string,
  { field, wanted, found }: { field: string; wanted: string; found: unknown },
): UserError {
  return new UserError(
    `Cannot use the model at "${path}": ${field} must be ${wanted}, found ${JSON.stringify(found)}`,
    { path, field },
  );
}

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
    original_max_position_embeddings: count.nullish(),
  }),
  yarn: z.object({
    factor: above,
    original_max_position_embeddings: count.nullish(),
    beta_fast: above.nullish(),
    beta_slow: above.nullish(),
    attention_factor: above.nullish(),
    mscale: z.number().nullish(),
    mscale_all_dim: z.number().nullish(),
    truncate: z.boolean().default(true),
  }),
};

type RopeJson = z.infer<z.ZodObject<typeof ropeFields>> & { max_position_embeddings: number };

/** The base of RoPE's angles, and how they are stretched. */
export function readRope(
  fields: RopeJson,
  path: string,
  defaultTheta = 10_000,
): { ropeTheta: number; ropeScaling?: RopeScaling } {
  const field = fields.rope_parameters ? "rope_parameters" : "rope_scaling";
  const json = fields[field] ?? {};
  const ropeTheta = fields.rope_parameters?.rope_theta ?? fields.rope_theta ?? defaultTheta;
  const part = json.partial_rotary_factor ?? fields.partial_rotary_factor ?? 1;
  if (part !== 1) {
    const wanted = "1: whole heads are turned";
    throw refuseField(path, { field: "partial_rotary_factor", wanted, found: part });
  }
  const originalPositions = fields.original_max_position_embeddings ??
    json.original_max_position_embeddings as number | undefined ?? fields.max_position_embeddings;
  return { ropeTheta, ...readScaling(json, { field, path, originalPositions }) };
}

function readScaling(
  json: Record<string, unknown>,
  { field, path, originalPositions }: { field: string; path: string; originalPositions: number },
): { ropeScaling?: RopeScaling } {
  const type = (json.rope_type ?? json.type ?? "default") as string;
  if (type === "default") return {};
  const read = <T extends z.ZodType>(schema: T) =>
    readFields(z.object({ [field]: schema }), { [field]: json }, path)[field] as z.infer<T>;
  switch (type) {
    case "linear":
      return { ropeScaling: { type, factor: read(scalingSchemas.linear).factor } };
    case "llama3": {
      const { factor, low_freq_factor, high_freq_factor } = read(scalingSchemas.llama3);
      return {
        ropeScaling: {
          type,
          factor,
          lowFrequencyFactor: low_freq_factor,
          highFrequencyFactor: high_freq_factor,
          originalPositions,
        },
      };
    }
    case "yarn": {
      const yarn = read(scalingSchemas.yarn), { factor, truncate } = yarn;
      return {
        ropeScaling: {
          type,
          factor,
          originalPositions,
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

/** Eq. 22 of arXiv 2309.00071, squared away into the tables; DeepSeek's two scales are its ratio. */
function yarnAttentionFactor(
  { factor, mscale, mscale_all_dim: all }: z.infer<typeof scalingSchemas.yarn>,
): number {
  const scale = (times: number) => factor <= 1 ? 1 : 0.1 * times * Math.log(factor) + 1;
  return mscale && all ? scale(mscale) / scale(all) : scale(1);
}
