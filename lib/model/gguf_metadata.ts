import { UserError } from "../errors.ts";
import type { GgufMetadata } from "../io/write_gguf.ts";
import { gemma3AttentionWidth } from "./gguf_config.ts";
import { GGUF_ARCHITECTURES, ggufArchitecture } from "./gguf_names.ts";
import { ropeToGguf } from "./gguf_rope.ts";
import type { AttentionWindows, ModelConfig } from "./model_config.ts";
import { parseModelConfig } from "./parse_model_config.ts";

/** What {@link ggufMetadata} gives. */
export type GgufHeader = {
  architecture: string;
  /** The architecture and its keys with their prefix. */
  metadata: GgufMetadata;
  /** What each pair's angle is divided by, where positions are stretched unevenly. */
  ropeFactors?: Float32Array;
  /** Tokens of a text that llama.cpp computes as the model does; fewer than the model's own context only
   * where its layers have a window that the architecture doesn't know. */
  contextLength: number;
};

/**
 * Says a Hugging Face `config.json` in the words of a GGUF architecture: the way back from
 * `ggufConfig`.
 *
 * **Source**: llama.cpp's scripts that convert models, and its `load_arch_hparams`.
 *
 * @throws {UserError} Where the family has no architecture that is known here, or the config asks for
 * what llama.cpp wouldn't compute.
 */
export function ggufMetadata(json: Record<string, unknown>, path: string): GgufHeader {
  const config = parseModelConfig(json, path), { family } = config;
  const architecture = ggufArchitecture(family);
  if (architecture === undefined) {
    const known = Object.values(GGUF_ARCHITECTURES).flatMap(({ families }) => families).join(", ");
    throw cannotWrite(path, "model_type", `families that can be are ${known}`, family);
  }
  checkAttention(config, architecture, path);
  const { ropeTheta, ropeScaling, headDim } = config;
  const rope = ropeScaling && ropeToGguf(ropeScaling, { headDim, ropeTheta: ropeTheta!, path });
  const contextLength = knowsWindows(architecture)
    ? config.maxPositions
    : Math.min(config.maxPositions, config.windows?.size ?? Infinity);
  const keys: GgufMetadata = {
    vocab_size: { u32: config.vocabSize },
    context_length: { u32: contextLength },
    embedding_length: { u32: config.hiddenSize },
    block_count: { u32: config.layers },
    feed_forward_length: { u32: config.feedForwardSize },
    "attention.head_count": { u32: config.heads },
    ...(architecture === "gpt2"
      ? { "attention.layer_norm_epsilon": { f32: config.normEpsilon } }
      : llamaLike(config)),
    ...rope?.keys,
    ...(config.windows && knowsWindows(architecture) && windowKeys(config.windows, path)),
  };
  const prefixed = Object.entries(keys).map(([key, value]) => [`${architecture}.${key}`, value]);
  const metadata = {
    "general.architecture": { text: architecture },
    ...Object.fromEntries(prefixed),
  };
  return { architecture, metadata, ropeFactors: rope?.factors, contextLength };
}

const knowsWindows = (architecture: string) => architecture === "gemma3";

const llamaLike = (config: ModelConfig): GgufMetadata => ({
  "rope.dimension_count": { u32: config.headDim },
  "rope.freq_base": { f32: config.ropeTheta! }, // these families turn by angles
  "attention.head_count_kv": { u32: config.keyValueHeads },
  "attention.key_length": { u32: config.headDim },
  "attention.value_length": { u32: config.headDim },
  "attention.layer_norm_rms_epsilon": { f32: config.normEpsilon },
});

/** llama.cpp knows windows only as all layers but each last of so many. */
function windowKeys({ size, layers, ropeTheta }: AttentionWindows, path: string): GgufMetadata {
  const first = layers.indexOf(false), pattern = (first < 0 ? layers.length : first) + 1;
  if (layers.some((hasWindow, layer) => hasWindow !== ((layer + 1) % pattern !== 0))) {
    const found = layers.map((hasWindow) => hasWindow ? "sliding_attention" : "full_attention");
    const wanted = "a full layer after each so many with a window can be";
    throw cannotWrite(path, "layer_types", wanted, found);
  }
  return {
    "attention.sliding_window": { u32: size },
    "attention.sliding_window_pattern": { u32: pattern },
    "rope.freq_base_swa": { f32: ropeTheta! }, // of families whose windows are known there
  };
}

/** What llama.cpp takes for granted of an architecture's attention. */
function checkAttention(config: ModelConfig, architecture: string, path: string): void {
  const { headDim, attentionScale = headDim ** -0.5, windows, attentionBias } = config;
  const width = architecture === "gemma3" ? gemma3AttentionWidth(config) : headDim;
  const found = attentionScale ** -2;
  if (Math.abs(found - width) > 1e-6 * width) {
    const wanted = `attention scaled by the root of ${width} can be`;
    const field = architecture === "gpt2" ? "scale_attn_weights" : "query_pre_attn_scalar";
    throw cannotWrite(path, field, wanted, Number(found.toPrecision(6)));
  }
  if (knowsWindows(architecture) && !windows) {
    throw cannotWrite(path, "layer_types", "layers with a window can be", "none");
  }
  if (architecture === "qwen3" && attentionBias) {
    throw cannotWrite(path, "attention_bias", "models without can be", true);
  }
}

function cannotWrite(path: string, field: string, wanted: string, found: unknown): UserError {
  return new UserError(
    `Cannot write "${path}" as GGUF: ${wanted}, found ${field} ${JSON.stringify(found)}`,
    { path, field },
  );
}
