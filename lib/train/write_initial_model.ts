import { join } from "node:path";
import { createRandom } from "../random.ts";
import { writeFileAtomic, writeFolderAtomic } from "../io/write_atomic.ts";
import { writeSafetensors } from "../io/write_safetensors.ts";
import { trainNoteTokenizer } from "../data/synthetic_tokenizer.ts";
import { initWeights } from "../model/init_weights.ts";
import { parseModelConfig } from "../model/parse_model_config.ts";

/** What {@link writeInitialModel} needs to know. */
export type WriteInitialModelOptions = {
  /** Texts that the tokenizer is trained on; each of their words becomes one token. */
  texts: Iterable<string>;
  /** Seed of the weights. */
  seed: number;
};

/** The embedded model: a Llama small enough to learn to copy facts in minutes on a CPU. */
function configJson(vocabSize: number): Record<string, unknown> {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: vocabSize,
    hidden_size: 128,
    intermediate_size: 384,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    head_dim: 32,
    hidden_act: "silu",
    max_position_embeddings: 512,
    rms_norm_eps: 1e-6,
    rope_theta: 10000,
    tie_word_embeddings: true,
    attention_bias: false,
    mlp_bias: false,
    initializer_range: 0.02,
    bos_token_id: 1,
    eos_token_id: 2,
    pad_token_id: 0,
    torch_dtype: "float32",
  };
}

const TOKENIZER_CONFIG = {
  tokenizer_class: "PreTrainedTokenizerFast",
  bos_token: "<s>",
  eos_token: "</s>",
  pad_token: "<pad>",
  model_max_length: 512,
  clean_up_tokenization_spaces: false,
};

/**
 * Writes an untrained model as a Hugging Face folder: tokenizer, configuration and random weights,
 * the same bytes from the same texts and seed. Stage A starts here.
 */
export async function writeInitialModel(
  path: string,
  { texts, seed }: WriteInitialModelOptions,
): Promise<void> {
  const tokenizer = trainNoteTokenizer(texts);
  const { vocab } = tokenizer.model as { vocab: Record<string, number> };
  const config = configJson(Object.keys(vocab).length);
  const json = {
    "tokenizer.json": tokenizer,
    "tokenizer_config.json": TOKENIZER_CONFIG,
    "config.json": config,
  };
  await writeFolderAtomic(path, async (folder) => {
    for (const [name, content] of Object.entries(json)) {
      await writeFileAtomic(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
    }
    const weights = initWeights(parseModelConfig(config, path), createRandom(seed));
    await writeSafetensors(join(folder, "model.safetensors"), weights);
  });
}
