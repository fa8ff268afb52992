/**
 * Our side of test_gguf_families.py and test_found_gguf.py: quantises each model folder under OUT/models
 * and reads the files back as bases, or reads the file that OUT/asked.json names; writes what we say of
 * them into OUT/ggufs.json.
 *
 *     deno run -A tests/clients/dump_ggufs.ts OUT
 */
import { join } from "node:path";
import { quantize } from "../../lib/convert/quantize.ts";
import { convertGguf } from "../../lib/model/convert_gguf.ts";
import { generateTokens } from "../../lib/model/generate_tokens.ts";
import { encodePrompt } from "../../lib/tokenizer/encode_pair.ts";
import { loadModels } from "../../lib/train/load_models.ts";
import { allLogProbs } from "../parity/tiny_model.ts";

const [out] = Deno.args;
const asked: { prompts: string[]; most: number; found?: string } = JSON.parse(
  await Deno.readTextFile(join(out, "asked.json")),
);
const golden = await Deno.readTextFile("tests/golden/tokenizers/strings.json");
const texts: string[] = JSON.parse(golden).strings;

/** A model's greedy words after the prompts, its log-probabilities of the first one, the texts' ids. */
async function say(modelPath: string) {
  using models = await loadModels({ modelPath });
  const { network, tokenizer } = models;
  const ids = asked.prompts.map((prompt, index) => ({
    ids: encodePrompt(tokenizer, prompt),
    index,
  }));
  const stop = { maxNewTokens: asked.most, stopIds: [...tokenizer.eosIds] };
  const written = await generateTokens(network, null, ids, stop);
  return {
    family: network.config.family,
    prompt: ids[0].ids,
    prompts: ids.map((prompt) => prompt.ids),
    logProbs: asked.found ? [] : [...await allLogProbs(network, null, ids[0].ids)],
    written: written.map(({ tokens }) => tokens),
    ids: texts.map((text) => tokenizer.encode(text)),
  };
}

/** A folder's files, and what we say of it and of them. */
async function dumpModel(name: string) {
  const folder = join(out, "models", name), files: Record<string, unknown> = {};
  for (const type of ["f16", "q8_0", "q4_k_m"] as const) {
    const path = join(out, `${name}-${type}.gguf`), made = await quantize(folder, path, { type });
    files[type] = { path, contextLength: made.contextLength, ...await say(path) };
  }
  const back = join(out, "back", name);
  await convertGguf(join(out, `${name}-f16.gguf`), { folder: back });
  return { folder, back, ...await say(folder), files };
}

const models: Record<string, unknown> = {};
const folders = asked.found ? [] : Array.from(Deno.readDirSync(join(out, "models")));
for (const { name } of folders) models[name] = await dumpModel(name);
const found = asked.found && await say(asked.found);
await Deno.writeTextFile(join(out, "ggufs.json"), JSON.stringify({ texts, models, found }));
