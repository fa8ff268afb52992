import { join } from "node:path";
import { compareQuantized } from "../../lib/convert/compare_quantized.ts";
import { quantize } from "../../lib/convert/quantize.ts";
import { openCheckpoint } from "../../lib/model/open_checkpoint.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { loadTriplets } from "../../lib/data/load_triplets.ts";
import { encodePairs } from "../../lib/tokenizer/encode_all.ts";
import { userError } from "../io/damage.ts";
import { namesOf } from "./tiny_adapter.ts";

const MODEL = "models/sft_specialist/final_model";

/** Copies the embedded model with its config changed. */
async function changed(config: Record<string, unknown>): Promise<string> {
  const folder = await Deno.makeTempDir();
  for (const name of namesOf(MODEL)) await Deno.copyFile(join(MODEL, name), join(folder, name));
  const own = JSON.parse(await Deno.readTextFile(join(MODEL, "config.json")));
  await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify({ ...own, ...config }));
  return folder;
}

Deno.test("quantize() writes a file that is opened as the same model", async () => {
  const path = join(await Deno.makeTempDir(), "a.gguf");
  const made = await quantize(MODEL, path, { type: "bf16" });
  assertEquals([made.formats, made.fallbacks], [{ BF16: 29, F32: 9 }, []]);
  const [before, after] = [await openCheckpoint(MODEL), await openCheckpoint(path)];
  const { dtype: _, initializer_range: __, architectures: ___, ...config } = before.config;
  for (const [key, value] of Object.entries(config)) {
    const found = after.config[key];
    assert(
      found === value || Math.abs(Number(found) - Number(value)) < 1e-12,
      `${key} is ${found}`,
    );
  }
  assertEquals(after.tensors.names().sort(), before.tensors.names().sort());
  for (const name of before.tensors.names()) {
    assertEquals(after.tensors.shape(name), before.tensors.shape(name));
    const [wanted, found] = [await before.tensors.read(name), await after.tensors.read(name)];
    const far = found.findIndex((value, i) =>
      Math.abs(value - wanted[i]) > Math.abs(wanted[i]) / 256
    );
    assertEquals(far, -1, name);
    const rows = { first: 3, end: 5 }, width = wanted.length / before.tensors.shape(name)[0];
    const part = await after.tensors.read(name, undefined, rows);
    assertEquals(part, found.slice(3 * width, 5 * width), name); // rows in the middle of a head too
  }
  for (const { tensors } of [before, after]) tensors.close();
});

Deno.test("quantize() gives the same file of its own F16 file as of the model", async () => {
  const folder = await Deno.makeTempDir(), at = (name: string) => join(folder, name);
  await quantize(MODEL, at("f16.gguf"), { type: "f16" });
  await quantize(at("f16.gguf"), at("again.gguf"), { type: "f16" });
  const [one, other] = [
    await openCheckpoint(at("f16.gguf")),
    await openCheckpoint(at("again.gguf")),
  ];
  for (const name of one.tensors.names()) {
    assertEquals(await one.tensors.read(name), await other.tensors.read(name), name);
  }
  const { "general.name": _, ...metadata } = one.ggufMetadata!;
  const { "general.name": __, ...again } = other.ggufMetadata!;
  assertEquals(again, metadata);
  for (const { tensors } of [one, other]) tensors.close();
});

Deno.test("quantize() says what GGUF or llama.cpp has no word for", async () => {
  const path = join(await Deno.makeTempDir(), "a.gguf");
  const yarn = { rope_type: "yarn", factor: 2, original_max_position_embeddings: 256 };
  const stretched = await changed({ rope_scaling: { ...yarn, truncate: false } });
  const { message } = await userError(quantize(stretched, path, { type: "q8_0" }));
  assert(/yarn's "truncate" must be true/.test(message), message);
  const { message: over } = await userError(
    quantize(path, path, { type: "q8_0" }),
  );
  assert(over.startsWith(`Cannot open the model at "${path}": there is no such file`), over);
  await quantize(MODEL, path, { type: "q8_0" });
  const { message: same } = await userError(quantize(path, path, { type: "q8_0" }));
  assertEquals(same, `Cannot write "${path}": it is the model that is read; name another`);
});

Deno.test("quantize() leaves nothing of a file that was stopped", async () => {
  const folder = await Deno.makeTempDir(), stop = new AbortController();
  const writing = quantize(MODEL, join(folder, "a.gguf"), {
    type: "q4_0",
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  assertEquals(await writing.then(() => "done", ({ name }) => name), "AbortError");
  assertEquals(namesOf(folder), []);
});

Deno.test("compareQuantized() says that 8 bits keep the margin, and 4 bits cost more", async () => {
  const folder = await Deno.makeTempDir();
  const triplets = (await loadTriplets("phase2_data/dpo/val_dpo.jsonl")).slice(0, 16);
  const compare = async (type: "q8_0" | "q4_0") => {
    const quantizedPath = join(folder, `${type}.gguf`);
    await quantize(MODEL, quantizedPath, { type });
    const encode = (tokenizer: Parameters<typeof encodePairs>[0]) =>
      encodePairs(tokenizer, triplets).rows;
    return await compareQuantized(MODEL, { quantizedPath, encode });
  };
  const [eight, four] = [await compare("q8_0"), await compare("q4_0")];
  assertEquals([eight.pairs, eight.hasReference], [16, false]);
  assert(eight.marginKept! > 0.99 && eight.marginKept! < 1.01, String(eight.marginKept));
  assertEquals(eight.float, four.float);
  assert(four.meanChange > 2 * eight.meanChange && eight.meanChange > 0);
});
