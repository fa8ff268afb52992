/**
 * One run, said beforehand or made, for estimate_holds.ts. Prints one JSON line: seconds of the
 * reference's pass and of the epoch's steps, and peak memory in bytes.
 *
 *     estimate_run.ts estimate|run MODEL_FOLDER PAIRS.json OPTIONS_JSON
 */
import { useBackend } from "../lib/backend/use_backend.ts";
import { estimate, type EstimateOptions } from "../lib/estimate/estimate.ts";
import { buildModels } from "../lib/train/build_models.ts";
import { peakMemoryBytes } from "../lib/train/guards.ts";
import { describeModel } from "../lib/train/load_source.ts";
import { trainDpo } from "../lib/train/train_dpo.ts";
import type { EncodedPair } from "../lib/types.ts";

export type RunFigures = { reference: number; epoch: number; peak: number };

const [what, modelPath, pairsPath, json] = Deno.args;
const pairs: EncodedPair[] = JSON.parse(await Deno.readTextFile(pairsPath));
const options: Omit<EstimateOptions, "validation"> = { ...JSON.parse(json), epochs: 1 };
console.log(JSON.stringify(what === "run" ? await run() : await said()));

async function said(): Promise<RunFigures> {
  await useBackend();
  const { config } = await describeModel(modelPath);
  const { seconds, memory } = await estimate(config, pairs, options);
  return { reference: seconds.reference, epoch: seconds.epoch, peak: memory.peak };
}

async function run(): Promise<RunFigures> {
  using models = await buildModels({ sftModelPath: modelPath, ...options });
  const started = performance.now();
  let reference = 0, epoch = 0;
  for await (const event of trainDpo(models, pairs, options)) {
    if (event.type === "start") reference = (performance.now() - started) / 1000;
    if (event.type === "end") epoch = event.state.elapsedMs / 1000;
  }
  return { reference, epoch, peak: peakMemoryBytes() };
}
