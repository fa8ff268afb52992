import { UserError } from "../errors.ts";
import { eosIdsOf } from "../tokenizer/tokenizer_from_gguf.ts";
import { ropeFromGguf } from "./gguf_rope.ts";

export type GgufConfigOptions = {
  /** The file, for messages. */
  path: string;
  /** Whether the file has a tensor of that (GGUF) name. */
  has: (name: string) => boolean;
  /** What each pair's angle is divided by, where the file has such a tensor. */
  ropeFactors?: Float32Array;
};

/**
 * Rebuilds a Hugging Face `config.json` from a GGUF file's metadata, as transformers does when it
 * loads the file with `gguf_file=`. Where a key is missing, what llama.cpp takes then holds.
 *
 * **Source**: llama.cpp's `load_arch_hparams` of each architecture.
 *
 * @throws {UserError} Where a key is missing or asks for something that the architecture's models don't
 * have here.
 */
export function ggufConfig(
  metadata: Record<string, unknown>,
  options: GgufConfigOptions,
): Record<string, unknown> {
  const architecture = metadata["general.architecture"] as string;
  const keys = keysOf(metadata, architecture, options.path);
  const tokens = metadata["tokenizer.ggml.tokens"];
  const id = (name: string) => metadata[`tokenizer.ggml.${name}_token_id`];
  const eosIds = eosIdsOf(metadata);
  const config = {
    ...configOf[architecture](keys, options),
    vocab_size: keys.value("vocab_size", Array.isArray(tokens) ? tokens.length : undefined),
    tie_word_embeddings: !options.has("output.weight"),
    bos_token_id: id("bos"),
    eos_token_id: eosIds.length > 1 ? eosIds : eosIds.at(0),
    pad_token_id: id("padding"),
    torch_dtype: "float32",
  };
  return Object.fromEntries(Object.entries(config).filter(([, entry]) => entry !== undefined));
}

type Config = Record<string, unknown>;
type Keys = ReturnType<typeof keysOf>;

/** What each architecture's keys say, beside vocabulary and special tokens. */
const configOf: Record<string, (keys: Keys, options: GgufConfigOptions) => Config> = {
  llama: (keys, options) => ({
    ...llamaLike(keys, options),
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    attention_bias: options.has("blk.0.attn_q.bias"),
    mlp_bias: options.has("blk.0.ffn_up.bias"),
  }),
  qwen2: (keys, options) => ({
    ...llamaLike(keys, options),
    architectures: ["Qwen2ForCausalLM"],
    model_type: "qwen2",
    use_sliding_window: false,
  }),
  qwen3: (keys, options) => ({
    ...llamaLike(keys, options),
    architectures: ["Qwen3ForCausalLM"],
    model_type: "qwen3",
    attention_bias: false,
    use_sliding_window: false,
  }),
  gemma3: (keys, options) => {
    const { hidden_act: _, ...config } = llamaLike(keys, options);
    keys.refuse("final_logit_softcapping", "no softcapping");
    return {
      ...config,
      architectures: ["Gemma3ForCausalLM"],
      model_type: "gemma3_text",
      hidden_activation: "gelu_pytorch_tanh",
      query_pre_attn_scalar: gemma3AttentionWidth({
        layers: config.num_hidden_layers,
        hiddenSize: config.hidden_size,
        heads: config.num_attention_heads,
        headDim: config.head_dim,
      }),
      sliding_window: keys.value("attention.sliding_window"),
      sliding_window_pattern: keys.value("attention.sliding_window_pattern", 6),
      rope_local_base_freq: keys.value("rope.freq_base_swa", 10_000),
    };
  },
  gpt2: (keys) => ({
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    n_embd: keys.value("embedding_length"),
    n_layer: keys.value("block_count"),
    n_head: keys.value("attention.head_count"),
    n_inner: keys.value("feed_forward_length"),
    n_positions: keys.value("context_length"),
    activation_function: "gelu_new",
    layer_norm_epsilon: keys.value("attention.layer_norm_epsilon"),
  }),
};

/**
 * What Gemma 3 divides scores by the root of: a head's size, in the 27B model what heads would have of
 * the hidden size. GGUF has no key for it; llama.cpp knows that model by its number of blocks.
 */
export function gemma3AttentionWidth({ layers, hiddenSize, heads, headDim }: {
  layers: number;
  hiddenSize: number;
  heads: number;
  headDim: number;
}): number {
  return layers === 62 ? hiddenSize / heads : headDim;
}

/** What Llama and those like it have in common. */
function llamaLike({ value, read, refuse, wrong }: Keys, { path, ropeFactors }: GgufConfigOptions) {
  const heads = value("attention.head_count");
  const hiddenSize = value("embedding_length");
  const headDim = value("attention.key_length", hiddenSize / heads);
  const rotary = value("rope.dimension_count", headDim);
  if (rotary !== headDim || value("attention.value_length", headDim) !== headDim) {
    throw wrong("rope.dimension_count", `${headDim}, the size of a head`, rotary);
  }
  refuse("expert_count", "no experts");
  const ropeTheta = value("rope.freq_base", 10_000), contextLength = value("context_length");
  const rope = { read, headDim, ropeTheta, contextLength, factors: ropeFactors, path };
  return {
    hidden_size: hiddenSize,
    intermediate_size: value("feed_forward_length"),
    num_hidden_layers: value("block_count"),
    num_attention_heads: heads,
    num_key_value_heads: value("attention.head_count_kv", heads),
    head_dim: headDim,
    hidden_act: "silu",
    max_position_embeddings: contextLength,
    rms_norm_eps: value("attention.layer_norm_rms_epsilon"),
    rope_theta: ropeTheta,
    rope_scaling: ropeFromGguf(rope),
  };
}

/** An architecture's keys, by their names without its prefix. */
function keysOf(metadata: Record<string, unknown>, architecture: string, path: string) {
  const read = (key: string) => metadata[`${architecture}.${key}`];
  const wrong = (key: string, wanted: string, found: unknown) => {
    const shown = Array.isArray(found) ? "a list" : JSON.stringify(found) ?? "nothing";
    const field = `${architecture}.${key}`;
    return new UserError(`Cannot use "${path}": "${field}" must be ${wanted}, found ${shown}`, {
      path,
      field,
    });
  };
  return {
    read,
    wrong,
    /** A number; `fallback` where the file doesn't say. */
    value(key: string, fallback?: number): number {
      const found = read(key) ?? fallback;
      if (typeof found === "number") return found;
      throw wrong(key, "a number", found);
    },
    refuse(key: string, wanted: string): void {
      const found = read(key);
      if (found) throw wrong(key, wanted, found);
    },
  };
}
