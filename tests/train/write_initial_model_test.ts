import { join } from "node:path";
import { assert, assertEquals } from "../../lib/std.ts";
import { openSafetensors } from "../../lib/io/safetensors.ts";
import { loadTokenizer } from "../../lib/tokenizer/load_tokenizer.ts";
import { writeInitialModel } from "../../lib/train/write_initial_model.ts";

const texts = ["Patient has fever for 12 days.", " fever for 3 weeks."];
const FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

async function write(seed: number): Promise<string> {
  const path = join(await Deno.makeTempDir(), "model");
  await writeInitialModel(path, { texts, seed });
  return path;
}

Deno.test("writeInitialModel() writes a complete folder, the same bytes from the same seed", async () => {
  const [first, second, other] = [await write(1), await write(1), await write(2)];
  assertEquals(Array.from(Deno.readDirSync(first), ({ name }) => name).sort(), FILES);
  const bytes = (folder: string, name: string) => Deno.readFileSync(join(folder, name));
  for (const name of FILES) {
    const twin = bytes(second, name);
    assert(bytes(first, name).every((byte, i) => byte === twin[i]), `${name} differs`);
  }
  const drawn = bytes(other, "model.safetensors");
  assert(bytes(first, "model.safetensors").some((byte, i) => byte !== drawn[i]), "seeds agree");
});

Deno.test("writeInitialModel() draws words further apart than other weights, norms at one", async () => {
  const folder = await write(7);
  const tensors = await openSafetensors(join(folder, "model.safetensors"));
  const spread = async (name: string) => {
    const values = await tensors.read(name);
    return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
  };
  assert(Math.abs(await spread("model.embed_tokens.weight") - 0.1) < 0.002);
  assert(Math.abs(await spread("model.layers.0.self_attn.q_proj.weight") - 0.02) < 0.0005);
  assertEquals(await spread("model.norm.weight"), 1);
  tensors.close();
});

Deno.test("writeInitialModel() gives a tokenizer that opens with BOS and knows EOS", async () => {
  const tokenizer = await loadTokenizer(await write(1));
  assertEquals(tokenizer.eosId, 2);
  assertEquals(tokenizer.encode("fever")[0], 1);
});
