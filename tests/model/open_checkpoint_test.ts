import { join } from "node:path";
import { writeSafetensors } from "../../lib/io/write_safetensors.ts";
import { ggufConfig } from "../../lib/model/gguf_config.ts";
import { openCheckpoint } from "../../lib/model/open_checkpoint.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { userError } from "../io/damage.ts";
import { assertSameBits, golden, goldenPath, readAll } from "../io/golden_files.ts";
import { thrownBy } from "../thrown_by.ts";

async function hfFolder(): Promise<string> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(join(folder, "config.json"), `{"model_type": "llama"}`);
  const tensor = { shape: [1], data: Float32Array.of(1) };
  await writeSafetensors(join(folder, "model.safetensors"), [["model.norm.weight", tensor]]);
  return folder;
}

Deno.test("openCheckpoint() gives a GGUF file's tensors as transformers has them", async () => {
  const { tensors, format } = await openCheckpoint(goldenPath("llama.gguf"));
  assertEquals(format, "gguf");
  assertEquals(tensors.names().sort(), Object.keys(golden.llama).sort());
  for (const [name, wanted] of Object.entries(golden.llama)) {
    assertSameBits(await readAll(tensors, name), wanted, name);
  }
  tensors.close();
});

Deno.test("openCheckpoint() rebuilds config.json from a GGUF file's metadata", async () => {
  const { tensors, config } = await openCheckpoint(goldenPath("llama.gguf"));
  tensors.close();
  assertEquals(config, {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: 6,
    hidden_size: 8,
    intermediate_size: 12,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 4,
    hidden_act: "silu",
    max_position_embeddings: 64,
    rms_norm_eps: Math.fround(1e-5),
    rope_theta: 5000,
    tie_word_embeddings: false,
    attention_bias: true,
    mlp_bias: false,
    bos_token_id: 1,
    eos_token_id: 2,
    torch_dtype: "float32",
  });
});

const metadata = {
  "general.architecture": "llama",
  "llama.attention.head_count": 2,
  "llama.embedding_length": 8,
  "llama.feed_forward_length": 12,
  "llama.block_count": 1,
  "llama.context_length": 16,
  "llama.vocab_size": 5,
  "llama.attention.layer_norm_rms_epsilon": 1e-5,
};

Deno.test("ggufConfig() takes the defaults that llama.cpp takes", () => {
  const config = ggufConfig(metadata, { path: "a.gguf", has: () => false });
  const { num_key_value_heads, head_dim, rope_theta, tie_word_embeddings } = config;
  assertEquals([num_key_value_heads, head_dim, rope_theta], [2, 4, 10_000]);
  assertEquals(tie_word_embeddings, true);
  const ends = { "tokenizer.ggml.eos_token_id": 1, "tokenizer.ggml.eot_token_id": 4 };
  const chat = ggufConfig({ ...metadata, ...ends }, { path: "a.gguf", has: () => false });
  assertEquals(chat.eos_token_id, [1, 4]);
});

Deno.test("ggufConfig() keeps a scaled RoPE, so that whoever can't compute it may refuse", () => {
  const scaled = { "llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 2 };
  const config = ggufConfig({ ...metadata, ...scaled }, { path: "a.gguf", has: () => false });
  assertEquals(config.rope_scaling, { rope_type: "linear", factor: 2 });
});

Deno.test("ggufConfig() names a key that is missing or that a Llama can't have", () => {
  const cases: [change: Record<string, unknown>, reason: string][] = [
    [{ "llama.block_count": undefined }, `"llama.block_count" must be a number, found nothing`],
    [{ "llama.block_count": "8" }, `"llama.block_count" must be a number, found "8"`],
    [
      { "llama.attention.head_count_kv": [1, 2] },
      `"llama.attention.head_count_kv" must be a number, found a list`,
    ],
    [{ "llama.expert_count": 8 }, `"llama.expert_count" must be no experts, found 8`],
    [
      { "llama.rope.dimension_count": 2 },
      `"llama.rope.dimension_count" must be 4, the size of a head, found 2`,
    ],
  ];
  for (const [change, reason] of cases) {
    const run = () => ggufConfig({ ...metadata, ...change }, { path: "a.gguf", has: () => false });
    assertEquals(thrownBy(run).message, `Cannot use "a.gguf": ${reason}`);
  }
});

Deno.test("openCheckpoint() opens a Hugging Face folder", async () => {
  const { tensors, config, format } = await openCheckpoint(await hfFolder());
  assertEquals([format, config.model_type, tensors.names()], [
    "safetensors",
    "llama",
    ["model.norm.weight"],
  ]);
  tensors.close();
});

Deno.test("openCheckpoint() hashes weights and config", async () => {
  const hashOf = async (path: string) => {
    const { tensors, hash } = await openCheckpoint(path);
    tensors.close();
    return await hash();
  };
  const [folder, same] = [await hfFolder(), await hfFolder()];
  assertEquals(await hashOf(folder), await hashOf(same));
  await Deno.writeTextFile(join(same, "config.json"), `{"model_type": "llama", "rope_theta": 5}`);
  assert(await hashOf(folder) !== await hashOf(same));
  const other = { shape: [1], data: Float32Array.of(2) };
  const before = await hashOf(folder);
  await writeSafetensors(join(folder, "model.safetensors"), [["model.norm.weight", other]]);
  assert(await hashOf(folder) !== before);
});

Deno.test("openCheckpoint() says what it found instead of a model", async () => {
  const empty = await Deno.makeTempDir();
  const adapter = await Deno.makeTempDir();
  await Deno.writeTextFile(join(adapter, "adapter_config.json"), "{}");
  const withGguf = await Deno.makeTempDir();
  await Deno.writeTextFile(join(withGguf, "a.gguf"), "");
  const run = await Deno.makeTempDir(); // what a training run leaves
  await Deno.mkdir(join(run, "final_model"));
  const mamba = goldenPath("mamba.gguf");
  const gone = join(empty, "gone");
  const cases: [path: string, reason: string][] = [
    [
      gone,
      "there is no such file or folder; wanted a model folder or a .gguf file; " +
      "scripts/fetch_model.ts can fetch models",
    ],
    [empty, "the folder has no config.json"],
    [adapter, "it is an adapter, wanted the model that it adapts"],
    [
      withGguf,
      `the folder has no config.json; did you mean "${join(withGguf, "a.gguf")}"?`,
    ],
    [
      run,
      `the folder has no config.json; did you mean "${join(run, "final_model")}"?`,
    ],
    [
      mamba,
      `supported GGUF architectures are llama, qwen2, qwen3, gemma3, gpt2, found architecture "mamba"`,
    ],
    [goldenPath("dict.bin"), "wanted a model folder or a .gguf file, found another file"],
  ];
  for (const [path, reason] of cases) {
    const { message } = await userError(openCheckpoint(path));
    assertEquals(message, `Cannot open the model at "${path}": ${reason}`);
  }
});

Deno.test("openCheckpoint() says where a config.json is no JSON object", async () => {
  const folder = await hfFolder();
  const path = join(folder, "config.json");
  await Deno.writeTextFile(path, "[1]");
  const list = await userError(openCheckpoint(folder));
  assertEquals(list.message, `Cannot use "${path}": wanted a JSON object, found a list`);
  await Deno.writeTextFile(path, "{");
  const broken = await userError(openCheckpoint(folder));
  assert(broken.message.startsWith(`Cannot parse "${path}" as JSON: `), broken.message);
});
