import { UserError } from "../errors.ts";
import { FAMILIES } from "./families.ts";
import type { ModelConfig } from "./model_config.ts";
import { refuseField } from "./read_fields.ts";

/** Fields that say of a checkpoint what no family here computes, and what they must be. */
const NOWHERE: [field: string, wanted: string][] = [
  ...["num_local_experts", "num_experts", "n_routed_experts"].map((field): [string, string] => [
    field,
    "no mixture of experts",
  ]),
  ["quantization_config", "weights that are not quantised"],
];

/**
 * Reads a Hugging Face `config.json` that is already parsed as JSON.
 *
 * @throws {UserError} when the family, a field or the position scaling is not supported.
 */
export function parseModelConfig(json: unknown, path: string): ModelConfig {
  const fields = (json ?? {}) as Record<string, unknown>, type = fields.model_type;
  const family = FAMILIES.find(({ name }) => name === type);
  if (!family) {
    const names = FAMILIES.map(({ name }) => name).join(", ");
    throw new UserError(
      `Cannot use the model at "${path}": model_type must be one of ${names}, found ${
        JSON.stringify(type) ?? "none"
      }`,
      { path, field: "model_type" },
    );
  }
  for (const [field, wanted] of NOWHERE) {
    if (fields[field]) throw refuseField(path, { field, wanted, found: fields[field] });
  }
  return checkShape(family.readConfig(json, path), path);
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
