/** Each golden model as a GGUF file and back, and what GGUF or llama.cpp has no word for. */
import { join } from "node:path";
import { plainMetadata, writeGguf } from "../../lib/io/write_gguf.ts";
import { familyTensors } from "../../lib/model/family_tensors.ts";
import { ggufConfig } from "../../lib/model/gguf_config.ts";
import { ggufMetadata } from "../../lib/model/gguf_metadata.ts";
import { tensorsToGguf } from "../../lib/model/gguf_tensors.ts";
import { openCheckpoint } from "../../lib/model/open_checkpoint.ts";
import { parseModelConfig } from "../../lib/model/parse_model_config.ts";
import { weightShapes } from "../../lib/model/weight_shapes.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { TINY_MODELS, tinyFolder } from "../parity/tiny_model.ts";
import { thrownBy } from "../thrown_by.ts";

type Json = Record<string, unknown>;

/** What must be otherwise for a golden config to have words. */
const CHANGES: Record<string, (json: Json) => Json> = {
  gemma3: (json) => ({ ...json, query_pre_attn_scalar: 6 }),
  gemma3_seeing: (json) => ({
    ...json,
    text_config: { ...json.text_config as Json, query_pre_attn_scalar: 6 },
  }),
};

async function writeTiny(model: string, path: string) {
  const { config: found, tensors } = await openCheckpoint(tinyFolder(model));
  const json = CHANGES[model]?.(found) ?? found, config = parseModelConfig(json, model);
  const header = ggufMetadata(json, model), { architecture, metadata } = header;
  const own = familyTensors(tensors, config);
  const renamed = tensorsToGguf(own, {
    ...header,
    family: config.family,
    path: model,
    names: [...weightShapes(config).keys()],
    headsOf: (key) => (metadata[`${architecture}.${key}`] as { u32: number }).u32,
  });
  await writeGguf(path, renamed, { metadata, typeOf: () => "F32" });
  return { config, own, header };
}

for (const model of TINY_MODELS) {
  Deno.test(`a GGUF file is opened as the model that it was made of (${model})`, async () => {
    const path = join(await Deno.makeTempDir(), "a.gguf");
    const { config, own } = await writeTiny(model, path);
    const { config: json, tensors } = await openCheckpoint(path);
    const back = parseModelConfig(json, path);
    const family = ({ mistral: "llama", gemma3: "gemma3_text" } as Json)[config.family];
    const { windows, ...rest } = back, { windows: wanted, ...others } = config;
    const keepsWindows = back.family === "gemma3_text";
    assertEquals(windows, keepsWindows ? wanted : undefined);
    const maxPositions = keepsWindows ? config.maxPositions : wanted?.size ?? config.maxPositions;
    assertRoughly(rest, { ...others, family: family ?? config.family, maxPositions });
    const names = [...weightShapes(back).keys()];
    for (const [i, name] of [...weightShapes(config).keys()].entries()) {
      const [before, after] = [await own.read(name), await tensors.read(names[i])];
      assertClose(after, before, { absolute: 2e-7 }); // a norm's one more is rounded
      const rows = { first: 1, end: 3 }, width = before.length / own.shape(name)[0];
      const part = await tensors.read(names[i], undefined, rows);
      assertEquals(part, after.slice(width, 3 * width), name);
    }
    for (const source of [own, tensors]) source.close();
  });
}

/** Equal but for the rounding of numbers to 32 bits. */
function assertRoughly(found: object, wanted: object): void {
  const round = (value: unknown): unknown =>
    typeof value === "number" ? Number(value.toPrecision(5)) : value;
  const text = (value: object) => JSON.parse(JSON.stringify(value, (_, entry) => round(entry)));
  assertEquals(text(found), text(wanted));
}

const base = {
  vocab_size: 64,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};
const llama = { ...base, model_type: "llama" };
const gemma = { ...base, model_type: "gemma3_text", head_dim: 16, query_pre_attn_scalar: 16 };
const backOf = (json: Json, options: { factors?: number[] } = {}) => {
  const { metadata, ropeFactors } = ggufMetadata(json, "model");
  const factors = options.factors ? Float32Array.from(options.factors) : ropeFactors;
  return ggufConfig(plainMetadata(metadata), {
    path: "a.gguf",
    has: () => false,
    ropeFactors: factors,
  });
};

Deno.test("stretched positions come back as they were said", () => {
  const yarn = { rope_type: "yarn", factor: 4, original_max_position_embeddings: 512 };
  const ways = [
    { rope_type: "linear", factor: 8 },
    yarn,
    { ...yarn, attention_factor: 1.3, beta_fast: 16, beta_slow: 2 },
    {
      rope_type: "llama3",
      factor: 32,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    },
  ];
  for (const rope_scaling of ways) {
    const json = { ...llama, head_dim: 64, rope_theta: 500_000, rope_scaling };
    const found = parseModelConfig(backOf(json), "a.gguf").ropeScaling!;
    assertRoughly(found, parseModelConfig(json, "model").ropeScaling!);
  }
});

Deno.test("factors that aren't Llama 3's are refused, and factors of one are none", () => {
  const json = { ...llama, head_dim: 8 };
  assertEquals(backOf(json, { factors: [1, 1, 1, 1] }).rope_scaling, undefined);
  for (const factors of [[9, 1, 1, 9], [1, 3, 2, 9], [8, 8, 8, 8]]) {
    const { message } = thrownBy(() => backOf(json, { factors }));
    const wanted = `Cannot use "a.gguf": its "rope_freqs.weight" must hold Llama 3's factors`;
    assert(message.startsWith(wanted), message);
  }
});

Deno.test("ggufMetadata() bounds the context where an architecture doesn't know the window", () => {
  const mistral = { ...base, model_type: "mistral", max_position_embeddings: 32_768 };
  assertEquals(ggufMetadata({ ...mistral, sliding_window: 4096 }, "m").contextLength, 4096);
  assertEquals(ggufMetadata({ ...mistral, sliding_window: null }, "m").contextLength, 32_768);
  assertEquals(ggufMetadata({ ...gemma, sliding_window: 512 }, "m").contextLength, 131_072);
});

Deno.test("ggufMetadata() refuses by name what llama.cpp would compute otherwise", () => {
  const yarn = { rope_type: "yarn", factor: 4, original_max_position_embeddings: 512 };
  const kinds = ["full_attention", "sliding_attention"];
  const cases: [json: Json, reason: RegExp][] = [
    [{ ...gemma, query_pre_attn_scalar: 20 }, /root of 16 can be, found query_pre_attn_scalar 20/],
    [
      { ...gemma, layer_types: [kinds[1], kinds[0], kinds[0]] },
      /full layer after each so many .* found layer_types/,
    ],
    [{ ...gemma, layer_types: [kinds[0], kinds[0], kinds[0]] }, /found layer_types "none"/],
    [{ ...base, model_type: "qwen3", attention_bias: true }, /found attention_bias true/],
    [{ ...llama, rope_scaling: { ...yarn, truncate: false } }, /yarn's "truncate" must be true/],
    [
      { model_type: "gpt2", n_embd: 8, n_layer: 1, n_head: 2, scale_attn_weights: false },
      /root of 4 can be, found scale_attn_weights 1$/,
    ],
  ];
  for (const [json, reason] of cases) {
    const { message } = thrownBy(() => ggufMetadata(json, "model"));
    assert(message.startsWith('Cannot write "model" as GGUF: '), message);
    assert(reason.test(message), message);
  }
});
