import { UserError } from "../errors.ts";

export type GgufConfigOptions = {
  /** The file, for messages. */
  path: string;
  /** Whether the file has a tensor of that (GGUF) name. */
  has: (name: string) => boolean;
};

/**
 * Rebuilds a Hugging Face `config.json` from a llama GGUF file's metadata, as transformers does when
 * it loads the file with `gguf_file=`.
 *
 * @throws {UserError} Where a key is missing or asks for something that a Llama doesn't have.
 */
export function ggufConfig(
  metadata: Record<string, unknown>,
  { path, has }: GgufConfigOptions,
): Record<string, unknown> {
  const value = (key: string, fallback?: number): number => {
    const found = metadata[`llama.${key}`] ?? fallback;
    if (typeof found === "number") return found;
    throw wrongValue({ path, key: `llama.${key}`, wanted: "a number", found });
  };
  const heads = value("attention.head_count");
  const hiddenSize = value("embedding_length");
  const headDim = value("attention.key_length", hiddenSize / heads);
  const rotary = value("rope.dimension_count", headDim);
  if (rotary !== headDim || value("attention.value_length", headDim) !== headDim) {
    const wanted = `${headDim}, the size of a head`;
    throw wrongValue({ path, key: "llama.rope.dimension_count", wanted, found: rotary });
  }
  if (value("expert_count", 0) > 0) {
    const found = metadata["llama.expert_count"];
    throw wrongValue({ path, key: "llama.expert_count", wanted: "no experts", found });
  }
  const tokens = metadata["tokenizer.ggml.tokens"];
  const id = (name: string) => metadata[`tokenizer.ggml.${name}_token_id`];
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: value("vocab_size", Array.isArray(tokens) ? tokens.length : undefined),
    hidden_size: hiddenSize,
    intermediate_size: value("feed_forward_length"),
    num_hidden_layers: value("block_count"),
    num_attention_heads: heads,
    num_key_value_heads: value("attention.head_count_kv", heads),
    head_dim: headDim,
    hidden_act: "silu",
    max_position_embeddings: value("context_length"),
    rms_norm_eps: value("attention.layer_norm_rms_epsilon"),
    rope_theta: value("rope.freq_base", 10_000),
    rope_scaling: ropeScaling(metadata),
    tie_word_embeddings: !has("output.weight"),
    attention_bias: has("blk.0.attn_q.bias"),
    mlp_bias: has("blk.0.ffn_up.bias"),
    bos_token_id: id("bos"),
    eos_token_id: id("eos"),
    pad_token_id: id("padding"),
    torch_dtype: "float32",
  };
  return Object.fromEntries(Object.entries(config).filter(([, entry]) => entry !== undefined));
}

/** Stretched positions, for whoever reads the config to accept or refuse. */
function ropeScaling(metadata: Record<string, unknown>): Record<string, unknown> | undefined {
  const type = metadata["llama.rope.scaling.type"];
  if (type === undefined || type === "none") return undefined;
  return { rope_type: type, factor: metadata["llama.rope.scaling.factor"] };
}

function wrongValue({ path, key, wanted, found }: {
  path: string;
  key: string;
  wanted: string;
  found: unknown;
}): UserError {
  const shown = Array.isArray(found) ? "a list" : JSON.stringify(found) ?? "nothing";
  return new UserError(`Cannot use "${path}": "${key}" must be ${wanted}, found ${shown}`, {
    path,
    field: key,
  });
}
