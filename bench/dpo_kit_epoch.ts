/**
 * One epoch of DPO steps over given pairs, timed: our side of the bench. LoRA r=8 on q_proj and
 * v_proj, batches of 4 pairs in the given order, the reference's log-probabilities computed before the
 * clock starts, as in trl_baseline.py. Prints one JSON line.
 *
 *     dpo_kit_epoch.ts MODEL_FOLDER PAIRS.json [MODE]     MODE: float32, bf32, bfloat16, plain (without
 *     the fused kernels), checkpointing, wasm, or two of them joined by "+"
 */
import { describeBackend } from "../lib/backend/use_backend.ts";
import { switchFusedKernels } from "../lib/backend/fused_kernels.ts";
import { precisions } from "../lib/model/network.ts";
import { meanMetrics } from "../lib/loss/preference_metrics.ts";
import { buildModels } from "../lib/train/build_models.ts";
import { dpoGradients } from "../lib/train/dpo_step.ts";
import { preferenceBatch } from "../lib/train/preference_batch.ts";
import { updateStep } from "../lib/train/update_step.ts";
import { peakMemoryBytes } from "../lib/train/guards.ts";
import { gemmRate } from "./gemm_rate.ts";
import type { BenchPair } from "./pairs.ts";
import { passFlops } from "../lib/estimate/pass_flops.ts";
import { packPairs } from "../lib/tokenizer/token_batch.ts";

const BATCH = 4, ADAPTER = { rank: 8, targetModules: ["q_proj", "v_proj"] };

const [modelPath, pairsPath, mode = "float32"] = Deno.args, modes = mode.split("+");
const pairs: BenchPair[] = JSON.parse(await Deno.readTextFile(pairsPath));
switchFusedKernels(!modes.includes("plain"));
using models = await buildModels({
  sftModelPath: modelPath,
  ...ADAPTER,
  alpha: 16,
  seed: 0,
  backend: modes.includes("wasm") ? "wasm" : "auto",
  precision: precisions.find((precision) => modes.includes(precision)),
});
const batches = [];
for (let start = 0; start < pairs.length; start += BATCH) {
  const encoded = pairs.slice(start, start + BATCH).map((pair) => pair.encoded);
  batches.push(await preferenceBatch(models, encoded));
}
const options = { beta: 0.1, checkpointing: modes.includes("checkpointing") };
const losses: number[] = [], started = performance.now();
let updateMs = 0;
for (const batch of batches) {
  const { gradients, sums } = await dpoGradients(models, [batch], options);
  const begun = performance.now();
  updateStep(models, gradients, { learningRate: 5e-6 });
  updateMs += performance.now() - begun;
  losses.push(meanMetrics(sums).loss);
}
const elapsedMs = performance.now() - started;
const peak = peakMemoryBytes(); // before the products below
const flops = batches.reduce(
  (sum, batch) => sum + passFlops(models.network.config, packPairs(batch.pairs), ADAPTER).gradient,
  0,
);
const { name, device, version } = describeBackend();
console.log(JSON.stringify({
  pairsPerSecond: 1000 * pairs.length / elapsedMs,
  peakMemoryBytes: peak,
  losses,
  flopsPerSecond: 1000 * flops / elapsedMs,
  gemmFlopsPerSecond: await gemmRate(),
  updateShare: updateMs / elapsedMs,
  versions: `${name}: ${version} on ${device}`,
}));
