/**
 * One point of cost_growth.ts: steps of a made-up model over made-up pairs, in a process of its own.
 * Prints one JSON line: seconds a step (the best of two after a first one) and peak memory in bytes.
 *
 *     cost_point.ts SETTING_JSON
 */
import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../lib/backend/use_backend.ts";
import { madeUpNetwork } from "../lib/estimate/made_up_network.ts";
import { initLora } from "../lib/lora/lora_adapter.ts";
import { uploadAdapter } from "../lib/lora/upload_adapter.ts";
import { tokenGradients } from "../lib/model/token_gradients.ts";
import { packPairs } from "../lib/tokenizer/token_batch.ts";
import { peakMemoryBytes } from "../lib/train/guards.ts";
import type { EncodedPair } from "../lib/types.ts";

export type CostSetting = {
  layers: number;
  vocabulary: number;
  batch: number;
  prompt: number;
  response: number;
  rank: number;
  targets: string[];
  checkpointing: boolean;
};

const setting: CostSetting = JSON.parse(Deno.args[0]);
const { layers, vocabulary, batch, prompt, response, rank, targets, checkpointing } = setting;
await useBackend();
/** SmolLM2-135M's sizes. */
const network = madeUpNetwork({
  family: "llama",
  ...{ vocabSize: vocabulary, hiddenSize: 576, feedForwardSize: 1536, layers },
  ...{ heads: 9, keyValueHeads: 3, headDim: 64, normEpsilon: 1e-5, ropeTheta: 1e5 },
  ...{ maxPositions: 8192, tiedHead: true, attentionBias: false, mlpBias: false },
}, "float32");
const lora = { rank, alpha: rank, targetModules: targets, rsLora: false };
const adapters = uploadAdapter(initLora(network.config, lora, { seed: 0 }));
const ids = (count: number, from: number) =>
  Array.from({ length: count }, (_, i) => (from + 7 * i) % vocabulary);
/** Answers of equal length that part in their middle, as hard negatives do. */
const pairs = Array.from({ length: batch }, (_, index): EncodedPair => {
  const half = response >> 1, shared = ids(half, index);
  const tail = (from: number) => [...shared, ...ids(response - half, from)];
  return { index, prompt: ids(prompt, 3 * index), chosen: tail(1), rejected: tail(2) };
});
const packed = packPairs(pairs), seconds: number[] = [];
for (let run = 0; run < 3; run++) {
  const started = performance.now();
  const slope = (logProbs: Float32Array) => logProbs.map(() => 1);
  const { gradients } = await tokenGradients(network, adapters, packed, slope, { checkpointing });
  for (const gradient of Object.values(gradients)) await gradient.data();
  tf.dispose(gradients);
  seconds.push((performance.now() - started) / 1000);
}
console.log(JSON.stringify({
  tokens: packed.ids.length,
  seconds: Math.min(...seconds.slice(1)),
  peak: peakMemoryBytes(),
}));
