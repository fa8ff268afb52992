import { gemma3, gemma3Seeing } from "./families/gemma3.ts";
import { gpt2 } from "./families/gpt2.ts";
import { llama } from "./families/llama.ts";
import { mistral } from "./families/mistral.ts";
import { qwen2 } from "./families/qwen2.ts";
import { qwen3 } from "./families/qwen3.ts";
import type { Family } from "./family.ts";
import type { ModelConfig } from "./model_config.ts";

/** All families that can be computed. */
export const FAMILIES: Family[] = [llama, qwen2, qwen3, mistral, gpt2, gemma3, gemma3Seeing];

const byName = new Map(FAMILIES.map((family) => [family.name, family]));

/** The description of a model's family. */
export function familyOf({ family }: Pick<ModelConfig, "family">): Family {
  return byName.get(family)!;
}
