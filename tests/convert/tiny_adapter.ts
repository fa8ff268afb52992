import { join } from "node:path";
import { buildModels, type BuildModelsOptions } from "../../lib/train/build_models.ts";
import { saveAdapter } from "../../lib/train/save_model.ts";
import { createRandom } from "../../lib/random.ts";
import { writeTinyFolder } from "../train/tiny_folder.ts";

/** A folder with a tiny model and an adapter over it, as after some training. */
export async function tinyAdapter(options: Partial<BuildModelsOptions> = {}) {
  const root = await Deno.makeTempDir(), at = (name: string) => join(root, name);
  const base = await writeTinyFolder(at("model")), adapter = at("adapter");
  const lora = { rank: 3, alpha: 6, targetModules: ["all-linear"], ...options };
  using models = await buildModels({ sftModelPath: base, backend: "cpu", ...lora });
  const random = createRandom(4);
  for (const { data } of models.adapter!.parameters.values()) {
    data.forEach((_, i) => data[i] = 0.1 * random.normal());
  }
  await saveAdapter(models, adapter);
  return { base, adapter, at, [Symbol.dispose]: () => Deno.removeSync(root, { recursive: true }) };
}

/** Names in a folder. */
export const namesOf = (folder: string) => Array.from(Deno.readDirSync(folder), ({ name }) => name);
