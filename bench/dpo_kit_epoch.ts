/**
 * One epoch of `dpoStep` over given pairs, timed: our side of bench/compare_trl.ts. float32, LoRA r=8
 * on q_proj and v_proj, batches of 4 pairs in the given order, the reference's log-probabilities
 * computed before the clock starts, as in trl_baseline.py. Prints one JSON line.
 */
import { describeBackend } from "../lib/backend/use_backend.ts";
import { buildModels } from "../lib/train/build_models.ts";
import { dpoStep } from "../lib/train/dpo_step.ts";
import { preferenceBatch } from "../lib/train/preference_batch.ts";
import { peakMemoryBytes } from "../lib/train/guards.ts";
import type { BenchPair } from "./pairs.ts";

const BATCH = 4;

const [modelPath, pairsPath] = Deno.args;
const pairs: BenchPair[] = JSON.parse(await Deno.readTextFile(pairsPath));
using models = await buildModels({ sftModelPath: modelPath, rank: 8, alpha: 16, seed: 0 });
const batches = [];
for (let start = 0; start < pairs.length; start += BATCH) {
  const encoded = pairs.slice(start, start + BATCH).map((pair) => pair.encoded);
  batches.push(await preferenceBatch(models, encoded));
}
const losses: number[] = [], started = performance.now();
for (const batch of batches) {
  losses.push((await dpoStep(models, batch, { beta: 0.1, learningRate: 5e-6 })).loss);
}
const seconds = (performance.now() - started) / 1000;
const { name, device, version } = describeBackend();
console.log(JSON.stringify({
  pairsPerSecond: pairs.length / seconds,
  peakMemoryBytes: peakMemoryBytes(),
  losses,
  versions: `${name}: ${version} on ${device}`,
}));
