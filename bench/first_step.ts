/**
 * From a process's start to a run's first step on four pairs, of which the reference is asked in
 * between. Prints one JSON line, in seconds.
 *
 *     first_step.ts MODEL_FOLDER
 */
import { loadTriplets } from "../lib/data/load_triplets.ts";
import { encodePairs } from "../lib/tokenizer/encode_all.ts";
import { buildModels } from "../lib/train/build_models.ts";
import { trainDpo } from "../lib/train/train_dpo.ts";

const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
using models = await buildModels({ sftModelPath: Deno.args[0] });
const loaded = performance.now() / 1000; // that clock begins with the process
const { rows } = encodePairs(models.tokenizer, triplets.slice(0, 4));
for await (const event of trainDpo(models, rows)) {
  if (event.type === "start") break;
}
console.log(JSON.stringify({ loaded, begun: performance.now() / 1000 }));
