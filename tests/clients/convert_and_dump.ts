/**
 * Our side of test_merge.py and test_llama_cpp.py: merges and quantises models, and writes what we
 * say of them into OUT/convert.json. OUT holds what train_and_dump.ts made.
 *
 *     deno run -A tests/clients/convert_and_dump.ts OUT
 */
import { join } from "node:path";
import { mergeAdapter } from "../../lib/convert/merge_adapter.ts";
import { quantize } from "../../lib/convert/quantize.ts";
import { type QuantType, quantTypes } from "../../lib/convert/quant_types.ts";
import { writeSafetensors } from "../../lib/io/write_safetensors.ts";
import { generateTokens } from "../../lib/model/generate_tokens.ts";
import { uploadAdapter } from "../../lib/lora/upload_adapter.ts";
import { weightShapes } from "../../lib/model/weight_shapes.ts";
import { parseModelConfig } from "../../lib/model/parse_model_config.ts";
import { createRandom } from "../../lib/random.ts";
import { encodePrompt } from "../../lib/tokenizer/encode_pair.ts";
import { loadModels, type LoadModelsOptions } from "../../lib/train/load_models.ts";
import {
  allLogProbs,
  loadTinyNetwork,
  readTinyAdapter,
  TINY_ADAPTERS,
  TINY_MODELS,
  tinyFolder,
} from "../parity/tiny_model.ts";

const PROMPTS = 10, MOST_TOKENS = 64, REAL = "models/SmolLM2-135M-Instruct";
const [out] = Deno.args;
const lines = (await Deno.readTextFile("phase2_data/dpo/val_dpo.jsonl")).split("\n");
const rows: { prompt: string; chosen: string }[] = lines.slice(0, PROMPTS).map((line) =>
  JSON.parse(line)
);
const prompts = rows.map(({ prompt }) => prompt);
/** For a model that wasn't trained on such notes: in the middle of an answer it isn't free to choose. */
const halfway = rows.map(({ prompt, chosen }) =>
  prompt + chosen.split(" ").slice(0, chosen.split(" ").length / 2).join(" ")
);
const texts: string[] = JSON.parse(
  await Deno.readTextFile("tests/golden/tokenizers/strings.json"),
).strings;

/** What a model of ours continues the prompts with, greedily, and how it reads the texts. */
async function say(options: LoadModelsOptions, maxNewTokens: number, asked = prompts) {
  using models = await loadModels(options);
  const { network, tokenizer, trainable } = models;
  const ids = asked.map((prompt, index) => ({ ids: encodePrompt(tokenizer, prompt), index }));
  const adapters = options.adapterPath ? trainable.adapters() : null;
  const stop = { maxNewTokens, stopIds: [...tokenizer.eosIds] };
  const written = await generateTokens(network, adapters, ids, stop);
  return {
    written: written.map(({ tokens }) => tokens),
    ids: texts.map((text) => tokenizer.encode(text)),
  };
}

/** The embedded model with each adapter that train_and_dump.ts trained. */
async function merges() {
  const said: Record<string, unknown> = {};
  for (const name of ["qv", "all_rslora"]) {
    const adapterPath = `${out}/${name}/final_model`, merged = `${out}/merged/${name}`;
    await mergeAdapter(adapterPath, merged, { maxShardBytes: name === "qv" ? 5e9 : 1e6 });
    said[name] = { ...await say({ adapterPath }, MOST_TOKENS), merged };
  }
  return said;
}

/** A tokenizer of 64 tokens, for golden models that have none. */
async function writeTokenizer(folder: string): Promise<void> {
  const vocab = Object.fromEntries(Array.from({ length: 64 }, (_, id) => [`t${id}`, id]));
  const json = {
    version: "1.0",
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: { type: "BPE", vocab, merges: [] },
  };
  await Deno.writeTextFile(join(folder, "tokenizer.json"), JSON.stringify(json));
  const config = JSON.stringify({ eos_token: "t2" });
  await Deno.writeTextFile(join(folder, "tokenizer_config.json"), config);
}

/** The golden models with the adapters that PEFT made, as stored and as float32. */
async function tinyMerges() {
  const said = [];
  for (const model of TINY_MODELS) {
    for (const adapter of TINY_ADAPTERS) {
      const folder = `${out}/tiny/${model}-${adapter}`, adapterPath = `${folder}/adapter`;
      await Deno.mkdir(adapterPath, { recursive: true });
      for (const { name } of Deno.readDirSync(join(tinyFolder(model), adapter))) {
        await Deno.copyFile(join(tinyFolder(model), adapter, name), join(adapterPath, name));
      }
      await writeTokenizer(adapterPath);
      await mergeAdapter(adapterPath, `${folder}/keep`);
      await mergeAdapter(adapterPath, `${folder}/float32`, { dtype: "float32" });
      const network = await loadTinyNetwork(model), ids = [1, 39, 3, 36, 47, 42, 58, 7, 45, 55];
      const adapters = uploadAdapter(await readTinyAdapter(model, adapter));
      const logProbs = await allLogProbs(network, adapters, ids);
      said.push({ model, adapter, folder, ids, logProbs: [...logProbs] });
    }
  }
  return said;
}

/** A random model whose tokenizer spells unknown text in bytes, as sentencepiece's do. */
async function writeBytesModel(folder: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    await Deno.copyFile(`tests/golden/tokenizers/byte_fallback/${name}`, join(folder, name));
  }
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: 512,
    hidden_size: 64,
    intermediate_size: 96,
    num_hidden_layers: 3,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 32,
    rms_norm_eps: 1e-5,
    rope_theta: 50000,
    max_position_embeddings: 512,
    attention_bias: true,
    bos_token_id: 1,
    eos_token_id: 2,
  };
  await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify(config));
  const random = createRandom(3), weights = weightShapes(parseModelConfig(config, folder));
  const tensors = [...weights].map(([name, shape]) => {
    const isNorm = name.includes("norm"), count = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from(
      { length: count },
      () => (isNorm ? 1 : 0) + 0.2 * random.normal(),
    );
    return [name, { shape, data }] as const;
  });
  await writeSafetensors(join(folder, "model.safetensors"), tensors);
  return folder;
}

/** GGUF files of some types, what we say of the model and of each file. */
async function ggufs(
  name: string,
  modelPath: string,
  { types, most, asked = prompts }: { types: readonly QuantType[]; most: number; asked?: string[] },
) {
  const isAdapter = await Deno.stat(join(modelPath, "adapter_config.json")).then(
    () => true,
    () => false,
  );
  const float = await say(isAdapter ? { adapterPath: modelPath } : { modelPath }, most, asked);
  const files = [];
  const kinds = types.map((type) => ({ type, pure: false }));
  for (const { type, pure } of [...kinds, { type: "q4_0" as const, pure: true }]) {
    const path = `${out}/${name}-${type}${pure ? "-pure" : ""}.gguf`;
    const made = await quantize(modelPath, path, { type, pure });
    files.push({
      ...made,
      pure,
      path,
      said: (await say({ modelPath: path }, most, asked)).written,
    });
  }
  return { name, most, prompts: asked, ...float, files };
}

const models = [
  await ggufs("embedded", `${out}/all_rslora/final_model`, {
    types: quantTypes,
    most: MOST_TOKENS,
  }),
  await ggufs("bytes", await writeBytesModel(`${out}/bytes`), { types: ["f16", "q8_0"], most: 8 }),
];
if (await Deno.stat(REAL).then(() => true, () => false)) {
  const types = ["f16", "q8_0", "q4_k_m"] as const;
  models.push(await ggufs("smollm2", REAL, { types, most: 24, asked: halfway }));
}
/** Files made of the F16 file: what llama.cpp's own quantiser starts from. */
async function requantized() {
  const [{ files: [{ path: f16 }] }] = models, files: Record<string, string> = {};
  for (const type of ["q8_0", "q4_0", "q4_k_m", "q6_k"] as const) {
    files[type] = `${out}/again-${type}.gguf`;
    await quantize(f16, files[type], { type });
  }
  return { f16, files };
}

const tiny = await tinyMerges();
await Deno.writeTextFile(
  `${out}/convert.json`,
  JSON.stringify({
    prompts,
    texts,
    merges: await merges(),
    tiny,
    models,
    requantized: await requantized(),
  }),
);
