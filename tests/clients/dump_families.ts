/**
 * Our side of test_families.py: for each tiny model of tests/golden/tiny that is more than plain Llama,
 * two adapters and all weights after three steps, saved as any run does, and what we say of them.
 *
 *     deno run -A tests/clients/dump_families.ts OUT
 */
import { join } from "node:path";
import { buildModels, type BuildModelsOptions } from "../../lib/train/build_models.ts";
import { saveAdapter } from "../../lib/train/save_model.ts";
import { trainSft } from "../../lib/train/train_sft.ts";
import { allLogProbs, readTinyGolden, TINY_FAMILIES } from "../parity/tiny_model.ts";
import { writeTinyFolder } from "../train/tiny_folder.ts";

/** Ways to train; the name is the folder's. */
const WAYS: Record<string, Omit<BuildModelsOptions, "sftModelPath">> = {
  default_targets: { rank: 2, alpha: 4 },
  all_rslora: { rank: 2, alpha: 3, targetModules: ["all-linear"], rsLora: true },
  weights: { allWeights: true },
};

const [out] = Deno.args;
const dump: Record<string, unknown> = {};
for (const name of TINY_FAMILIES) {
  const base = await writeTinyFolder(join(out, name, "base"), name),
    { golden } = await readTinyGolden(name);
  const [{ prompt, chosen }] = golden.pairs, ids = [...prompt, ...chosen];
  const examples = golden.pairs.map((pair) => ({ ...pair, completion: pair.chosen }));
  const logProbs: Record<string, number[]> = {};
  for (const [way, options] of Object.entries(WAYS)) {
    if (options.allWeights && name === "gemma3_seeing") continue; // refused: its eyes aren't read
    using models = await buildModels({ sftModelPath: base, seed: 5, ...options });
    const { network, trainable } = models;
    logProbs.base = [...await allLogProbs(network, null, ids)];
    const run = trainSft(models, examples, { batchSize: 4, epochs: 3, learningRate: 0.05 });
    for await (const _ of run);
    logProbs[way] = [...await allLogProbs(network, trainable.adapters(), ids)];
    await saveAdapter(models, join(out, name, way));
  }
  dump[name] = { ids, logProbs };
}
await Deno.writeTextFile(join(out, "families.json"), JSON.stringify(dump));
