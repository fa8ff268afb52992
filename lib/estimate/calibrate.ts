import * as tf from "@tensorflow/tfjs";
import { checkHalf } from "../backend/half_matrix.ts";
import { initLora } from "../lora/lora_adapter.ts";
import { disposeAdapters, uploadAdapter } from "../lora/upload_adapter.ts";
import { disposeNetwork } from "../model/load_network.ts";
import type { ModelConfig } from "../model/model_config.ts";
import type { Adapters, Precision } from "../model/network.ts";
import { tokenGradients } from "../model/token_gradients.ts";
import { tokenLogProbs } from "../model/token_log_probs.ts";
import { initAdamW, updateAdamW } from "../optim/adamw.ts";
import type { TokenBatch } from "../types.ts";
import { madeUpNetwork } from "./made_up_network.ts";
import { passFlops, type TrainedParts } from "./pass_flops.ts";

/** What this machine does in a second on this kind of model. */
export type Rates = {
  /** Useful arithmetic, as {@link passFlops} counts it, of a gradient pass and of a forward pass. */
  gradientFlopsPerSecond: number;
  forwardFlopsPerSecond: number;
  /** Parameters that the optimiser updates. */
  updatesPerSecond: number;
};

export type CalibrateOptions = {
  trained: TrainedParts;
  precision: Precision;
  checkpointing: boolean;
  /** How long to measure for, beside the first pass. */
  seconds?: number;
};

/** What a pass does once weighs little beside four layers; of wide ones two are enough, and fit. */
const layersOf = ({ layers, hiddenSize }: ModelConfig) =>
  Math.min(layers, hiddenSize > 1024 ? 2 : 4);
/** The head's products run as fast as with all words, and its table needs no gigabyte. */
const WORDS = 4096;
const UPDATED = 2 ** 18;

/**
 * Runs a few layers of the model, as wide as they are, over a batch of the run for about a second. Its
 * weights are made up: what a product takes doesn't depend on its numbers.
 *
 * **Memory**: no tensor is left behind.
 *
 * @throws {UserError} where the backend has no products in bfloat16 and those were wanted.
 */
export async function calibrate(
  config: ModelConfig,
  batch: TokenBatch,
  { trained, precision, checkpointing, seconds = 1 }: CalibrateOptions,
): Promise<Rates> {
  if (precision !== "float32") checkHalf(precision);
  const vocabSize = Math.min(config.vocabSize, WORDS);
  const small = { ...config, layers: layersOf(config), vocabSize };
  const few = (ids: Int32Array) => ids.map((id) => id % vocabSize);
  const own = { ...batch, ids: few(batch.ids), targets: few(batch.targets) };
  const network = madeUpNetwork(small, precision), flops = passFlops(small, own, trained);
  let adapters: Adapters | null = null;
  try {
    if (trained !== "all") {
      const lora = { alpha: 1, rsLora: false, ...trained };
      const targetModules = [...trained.targetModules];
      adapters = uploadAdapter(initLora(small, { ...lora, targetModules }, { seed: 0 }));
    }
    const slope = (logProbs: Float32Array) => logProbs.map(() => 1);
    const options = { weights: trained === "all", checkpointing };
    const gradient = await secondsOf(0.7 * seconds, async () => {
      tf.dispose((await tokenGradients(network, adapters, own, slope, options)).gradients);
    });
    const forward = await secondsOf(0.3 * seconds, () => tokenLogProbs(network, null, own));
    const update = await secondsOf(0, timedUpdate());
    return {
      gradientFlopsPerSecond: flops.gradient / gradient,
      forwardFlopsPerSecond: flops.forward / forward,
      updatesPerSecond: UPDATED / update,
    };
  } finally {
    if (adapters) disposeAdapters(adapters);
    disposeNetwork(network);
  }
}

/** The median time of some runs; the first, which warms caches and kernels, doesn't count. */
async function secondsOf(atLeast: number, run: () => unknown): Promise<number> {
  await run();
  const times: number[] = [];
  for (let total = 0; times.length === 0 || total < atLeast;) {
    const started = performance.now();
    await run();
    times.push((performance.now() - started) / 1000);
    total += times.at(-1)!;
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
}

function timedUpdate(): () => void {
  const [values, gradients] = [[new Float32Array(UPDATED)], [new Float32Array(UPDATED).fill(1)]];
  const state = initAdamW(values);
  return () => updateAdamW(values, gradients, state, { learningRate: 1e-9 });
}
