import { join } from "node:path";
import { mergeAdapter } from "../../lib/convert/merge_adapter.ts";
import { quantize } from "../../lib/convert/quantize.ts";
import { openCheckpoint } from "../../lib/model/open_checkpoint.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { loadModels, type LoadModelsOptions } from "../../lib/train/load_models.ts";
import { assertClose } from "../close.ts";
import { userError } from "../io/damage.ts";
import { allLogProbs } from "../parity/tiny_model.ts";
import { namesOf, tinyAdapter } from "./tiny_adapter.ts";

const readJson = async (...path: string[]) => JSON.parse(await Deno.readTextFile(join(...path)));

/** What a model says of some tokens. */
async function logProbsOf(options: LoadModelsOptions): Promise<Float32Array> {
  using models = await loadModels({ ...options, backend: "cpu" });
  const adapters = options.adapterPath ? models.trainable.adapters() : null;
  return await allLogProbs(models.network, adapters, [1, 5, 9, 30, 2]);
}

Deno.test("mergeAdapter() gives the model that the adapter made of its base", async () => {
  for (const rsLora of [false, true]) {
    using place = await tinyAdapter({ rsLora });
    const { adapter, at, base } = place;
    const merged = await mergeAdapter(adapter, at("merged"));
    assertEquals(merged.basePath, base);
    assertEquals([merged.files, merged.modules], [["model.safetensors"], 14]);
    const [over, plain] = [
      await logProbsOf({ adapterPath: adapter }),
      await logProbsOf({
        modelPath: base,
      }),
    ];
    assertClose(await logProbsOf({ modelPath: at("merged") }), over, { absolute: 1e-5 });
    assert(over.some((logProb, i) => Math.abs(logProb - plain[i]) > 0.01));
    assertEquals(namesOf(at("merged")).sort(), [
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
    ]);
    const config = await readJson(base, "config.json");
    assertEquals(await readJson(at("merged"), "config.json"), { ...config, dtype: "float32" });
    const generation = await readJson(at("merged"), "generation_config.json");
    assertEquals(generation, { bos_token_id: 1, eos_token_id: 2, pad_token_id: null });
  }
});

Deno.test("mergeAdapter() stores a dtype, in shards, with what a generation config said", async () => {
  using place = await tinyAdapter();
  const { adapter, at, base } = place;
  await Deno.writeTextFile(join(base, "generation_config.json"), '{"temperature":0.6}');
  const { files, sizeBytes } = await mergeAdapter(adapter, at("merged"), {
    dtype: "bfloat16",
    maxShardBytes: 4000,
  });
  assert(files.length > 3 && files.at(-1) === "model.safetensors.index.json", String(files));
  const index = await readJson(at("merged"), "model.safetensors.index.json");
  assertEquals(index.metadata.total_size, sizeBytes);
  const { tensors, config } = await openCheckpoint(at("merged"));
  assertEquals(config.dtype, "bfloat16");
  assert(tensors.names().every((name) => tensors.dtype(name) === "BF16"));
  tensors.close();
  const generation = await readJson(at("merged"), "generation_config.json");
  assertEquals(generation.temperature, 0.6);
  const over = await logProbsOf({ adapterPath: adapter });
  assertClose(await logProbsOf({ modelPath: at("merged") }), over, { absolute: 0.05 });
});

Deno.test("mergeAdapter() takes a GGUF base, and keeps floats while quantised ones become float32", async () => {
  using place = await tinyAdapter();
  const { adapter, at, base } = place;
  const gguf = at("base.gguf");
  await quantizeTiny(base, gguf);
  await mergeAdapter(adapter, at("merged"), { modelPath: gguf });
  const { tensors, config } = await openCheckpoint(at("merged"));
  const dtypes = new Set(tensors.names().map(tensors.dtype));
  assertEquals([...dtypes].sort(), ["F16", "F32"]);
  assertEquals(config.torch_dtype, "float16");
  tensors.close();
  const over = await logProbsOf({ adapterPath: adapter, modelPath: gguf });
  assertClose(await logProbsOf({ modelPath: at("merged") }), over, { absolute: 0.01 });
});

/** The tiny model's letters are no kind of tokenizer that GGUF knows; the byte-level ones are. */
async function quantizeTiny(base: string, output: string): Promise<void> {
  const { added_tokens, model: { vocab } } = await readJson(base, "tokenizer.json");
  const space = Object.keys(vocab).map((token) => [token === " " ? "Ġ" : token, vocab[token]]);
  await Deno.writeTextFile(
    join(base, "tokenizer.json"),
    JSON.stringify({
      version: "1.0",
      added_tokens,
      normalizer: null,
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
      post_processor: null,
      decoder: { type: "ByteLevel" },
      model: { type: "BPE", vocab: Object.fromEntries(space), merges: [] },
    }),
  );
  await quantize(base, output, { type: "f16" });
}

Deno.test("mergeAdapter() destroys nothing that is read or isn't a model", async () => {
  using place = await tinyAdapter();
  const { adapter, at, base } = place;
  const read = `is read from there; name another --output_dir`;
  for (const target of [base, adapter, at(".")]) {
    const { message } = await userError(mergeAdapter(adapter, target));
    assert(
      message.startsWith(`Cannot merge into "${target}": "`) && message.endsWith(read),
      message,
    );
  }
  await Deno.mkdir(at("mine"));
  await Deno.writeTextFile(join(at("mine"), "thesis.txt"), "");
  assertEquals(
    (await userError(mergeAdapter(adapter, at("mine")))).message,
    `Cannot merge into "${at("mine")}": it holds "thesis.txt", which is no part of a model; name ` +
      "another --output_dir",
  );
  assertEquals(
    (await userError(mergeAdapter(base, at("merged")))).message,
    `Cannot merge "${base}": wanted a folder with an adapter_config.json and no config.json`,
  );
  await mergeAdapter(adapter, at("merged"));
  await mergeAdapter(adapter, at("merged"), { dtype: "float16" }); // a model may be replaced
  assertEquals((await readJson(at("merged"), "config.json")).dtype, "float16");
});

Deno.test("mergeAdapter() leaves nothing of a merge that was stopped", async () => {
  using place = await tinyAdapter();
  const { adapter, at } = place, stop = new AbortController();
  const before = namesOf(at(".")).sort();
  const merging = mergeAdapter(adapter, at("merged"), {
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  assertEquals(await merging.then(() => "done", ({ name }) => name), "AbortError");
  assertEquals(namesOf(at(".")).sort(), before);
});
