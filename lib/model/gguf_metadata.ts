import { UserError } from "../errors.ts";
import type { GgufMetadata } from "../io/write_gguf.ts";
import { GGUF_ARCHITECTURES } from "./gguf_names.ts";
import type { ModelConfig } from "./model_config.ts";
import { parseModelConfig } from "./parse_model_config.ts";

/**
 * Says a Hugging Face `config.json` in the words of a GGUF architecture: the way back from
 * `ggufConfig`.
 *
 * **Source**: llama.cpp's `convert_hf_to_gguf.py`.
 *
 * @returns The architecture, and its keys with their prefix.
 * @throws {UserError} Where the family has no architecture that is known here, or its positions are
 * stretched.
 */
export function ggufMetadata(
  json: Record<string, unknown>,
  path: string,
): { architecture: string; metadata: GgufMetadata } {
  const config = parseModelConfig(json, path);
  const architecture = Object.keys(GGUF_ARCHITECTURES)
    .find((name) => GGUF_ARCHITECTURES[name].families.includes(config.family));
  if (architecture === undefined) {
    const known = Object.values(GGUF_ARCHITECTURES).flatMap(({ families }) => families).join(", ");
    throw cannotWrite(path, "model_type", `families that can be are ${known}`, config.family);
  }
  checkPositions(json, path);
  const keys = keysOf[architecture](config);
  const prefixed = Object.entries(keys).map(([key, value]) => [`${architecture}.${key}`, value]);
  return {
    architecture,
    metadata: { "general.architecture": { text: architecture }, ...Object.fromEntries(prefixed) },
  };
}

/** Each architecture's keys without their prefix. */
const keysOf: Record<string, (config: ModelConfig) => GgufMetadata> = {
  llama: (config) => ({
    vocab_size: { u32: config.vocabSize },
    context_length: { u32: config.maxPositions },
    embedding_length: { u32: config.hiddenSize },
    block_count: { u32: config.layers },
    feed_forward_length: { u32: config.feedForwardSize },
    "rope.dimension_count": { u32: config.headDim },
    "rope.freq_base": { f32: config.ropeTheta! }, // this family turns by angles
    "attention.head_count": { u32: config.heads },
    "attention.head_count_kv": { u32: config.keyValueHeads },
    "attention.key_length": { u32: config.headDim },
    "attention.value_length": { u32: config.headDim },
    "attention.layer_norm_rms_epsilon": { f32: config.normEpsilon },
  }),
};

/** A file that left the stretching out would be read as another model. */
function checkPositions(json: Record<string, unknown>, path: string): void {
  for (const field of ["rope_scaling", "rope_parameters"]) {
    const scaling = json[field] as { rope_type?: unknown; type?: unknown } | null | undefined;
    const kind = scaling?.rope_type ?? scaling?.type ?? "default";
    if (kind !== "default") throw cannotWrite(path, field, "plain RoPE can be", kind);
  }
}

function cannotWrite(path: string, field: string, wanted: string, found: unknown): UserError {
  return new UserError(
    `Cannot write "${path}" as GGUF: ${wanted}, found ${field} ${JSON.stringify(found)}`,
    { path, field },
  );
}
