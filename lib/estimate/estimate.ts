import * as tf from "@tensorflow/tfjs";
import { type BackendName, useBackend } from "../backend/use_backend.ts";
import { UserError } from "../errors.ts";
import { resolveTargetModules } from "../lora/lora_adapter.ts";
import { familyOf } from "../model/families.ts";
import { peakMemoryBytes } from "../train/guards.ts";
import type { ModelConfig } from "../model/model_config.ts";
import type { Precision } from "../model/network.ts";
import { packExamples, packPairs } from "../tokenizer/token_batch.ts";
import { checkTrainable } from "../train/build_models.ts";
import { definedOnly } from "../train/defined_only.ts";
import { epochOrder, planRun, rowsTaken, type RunLength } from "../train/plan_run.ts";
import { LOOP_DEFAULTS } from "../train/train_types.ts";
import type { EncodedExample, EncodedPair, TokenBatch } from "../types.ts";
import { calibrate } from "./calibrate.ts";
import { figuredSeconds, HARDWARE, type Hardware } from "./hardware.ts";
import { type PassFlops, passFlops, type TrainedParts } from "./pass_flops.ts";
import { countParameters, type RowSize, type RunMemory, runMemory } from "./run_memory.ts";

/** Options of {@link estimate}, named and with the defaults of `buildModels` and `trainDpo`. */
export type EstimateOptions = {
  rank?: number;
  targetModules?: string[];
  allWeights?: boolean;
  precision?: Precision;
  batchSize?: number;
  gradientAccumulationSteps?: number;
  epochs?: number;
  maxSteps?: number;
  seed?: number;
  checkpointing?: boolean;
  backend?: BackendName | "auto";
  /** How long to measure; 1 unless given, 0 for a single pass. */
  calibrationSeconds?: number;
  /** Rows to judge by at each epoch's end. */
  validation?: EncodedRow[];
  /** Forward passes that the loss takes beside any loss' own: with each step, and when it judges. */
  extraForwards?: { step: number; judging: number };
};

/** A pair for DPO, an example for SFT. */
export type EncodedRow = EncodedPair | EncodedExample;

/** What a run will take. */
export type Estimate = {
  parameters: { frozen: number; trained: number };
  rows: number;
  steps: number;
  stepsPerEpoch: number;
  /** Tokens of the first epoch's steps: as laid out here, and with a prompt for each response. */
  tokens: { shared: number; unshared: number };
  /** In bytes. */
  memory: RunMemory;
  /** Peak memory under other settings, in bytes: the ways out where it doesn't fit. */
  leaner: { flags: string; peak: number }[];
  /** On this machine: the reference's pass, the first epoch's steps, judging once, the whole run. */
  seconds: { reference: number; epoch: number; judging: number; run: number };
  /** Figured from published peak rates, not run: whether it fits, and the first epoch's seconds. */
  hardware: (Hardware & { fits: boolean; epochSeconds: number })[];
};

/** Of a machine's memory the share that a run can have. */
const USABLE = 0.9;

/**
 * Says before a run what it will take: memory by part, and time, from a second's calibration with a few
 * layers of the model on this machine. The weights themselves are not needed. Epochs are taken as
 * whole where `maxSteps` doesn't end the run within the first.
 *
 * **Source**: memory follows the tensors that `tokenGradients` keeps; time is the arithmetic of the
 * rows at the measured rate. `bench/estimate_holds.ts` holds both against real runs.
 * **Units**: bytes, seconds, tokens.
 * **Memory**: no tensor is left behind.
 *
 * @param config The model's sizes, from `describeModel`.
 * @param rows Pairs for DPO, examples for SFT, encoded as the run will have them.
 * @throws {UserError} when there is no row or no step, a target module is unknown, or weights can't rest
 * in the precision.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { encodePairs } from "../tokenizer/encode_all.ts";
 * import { describeModel } from "../train/load_source.ts";
 * import { estimate } from "./estimate.ts";
 * const { config, tokenizer } = await describeModel("models/sft_specialist/final_model");
 * const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
 * const { rows } = encodePairs(tokenizer, triplets.slice(0, 8));
 * const options = { batchSize: 4, calibrationSeconds: 0 };
 * const { steps, tokens, memory, seconds } = await estimate(config, rows, options);
 * assert.equal(steps, 4); // two epochs of two
 * assert(tokens.unshared > 1.5 * tokens.shared);
 * assert(memory.peak > memory.weights && seconds.run > seconds.epoch);
 * ```
 */
export async function estimate(
  config: ModelConfig,
  rows: readonly EncodedRow[],
  options: EstimateOptions = {},
): Promise<Estimate> {
  const { rank = 16, targetModules = familyOf(config).defaultTargets, allWeights = false } =
    options;
  const { precision = "float32", checkpointing = false, validation = [] } = options;
  const extra = options.extraForwards ?? { step: 0, judging: 0 };
  const trained: TrainedParts = allWeights
    ? "all"
    : { rank, targetModules: resolveTargetModules(config, targetModules) };
  if (allWeights) checkTrainable(precision);
  await useBackend({ backend: options.backend });
  const loop = { ...LOOP_DEFAULTS, batchSize: 4, ...definedOnly(options) };
  const { steps, stepsPerEpoch } = planRun(rows.length, loop), taken = rowsTaken(rows.length, loop);
  if (!(steps > 0)) {
    throw new UserError("Cannot estimate: wanted at least one row and one step, found none");
  }
  const costs = rows.map((row) => rowCost(config, row, trained));
  const judged = validation.map((row) => rowCost(config, row, trained));
  const batches = batchesOf(rows.length, loop);
  const typical = pack(typicalBatch(batches, costs).map((row) => rows[row]));
  const started = peakMemoryBytes(); // loading what computes takes more than a small run
  const rates = await calibrate(config, typical, {
    ...{ trained, precision, checkpointing, seconds: options.calibrationSeconds },
  });
  // Now the backend has compiled products and started threads, as it will have in the run.
  const runtime = Deno.memoryUsage().rss - tf.memory().numBytes;

  const sum = (list: RowCost[], key: keyof PassFlops) => list.reduce((s, cost) => s + cost[key], 0);
  const own = taken.map((row) => costs[row]), parameters = countParameters(config, trained);
  const stepsTaken = Math.min(steps, stepsPerEpoch);
  const forward = sum(own, "forward"), gradient = sum(own, "gradient");
  const epoch = gradient / rates.gradientFlopsPerSecond +
    extra.step * forward / rates.forwardFlopsPerSecond +
    stepsTaken * parameters.trained / rates.updatesPerSecond;
  const judgedOnce = sum(judged, "forward") / rates.forwardFlopsPerSecond;
  const judging = (1 + extra.judging) * judgedOnce;
  const asksReference = rows.some((row) => "chosen" in row);
  const reference = asksReference ? forward / rates.forwardFlopsPerSecond + judgedOnce : 0;
  const run = reference + steps / stepsTaken * epoch + Math.ceil(steps / stepsPerEpoch) * judging;

  const memoryOf = (size: number, checkpointing: boolean) => {
    const together = loop.batchSize * loop.gradientAccumulationSteps;
    const same = { ...loop, batchSize: size, gradientAccumulationSteps: together / size };
    const sizes = batchesOf(rows.length, same)
      .map((batch) => batch.map((row) => costs[row]));
    return runMemory(config, sizes, { trained, precision, checkpointing, runtime });
  };
  const figured = memoryOf(loop.batchSize, checkpointing);
  const memory = { ...figured, peak: Math.max(started, figured.peak) };
  return {
    parameters,
    rows: rows.length,
    steps,
    stepsPerEpoch,
    tokens: {
      shared: own.reduce((s, { tokens }) => s + tokens, 0),
      unshared: own.reduce((s, { unshared }) => s + unshared, 0),
    },
    memory,
    leaner: leanerWays(loop, checkpointing).map(({ flags, size, checkpointing }) => ({
      flags,
      peak: memoryOf(size, checkpointing).peak,
    })).filter(({ peak }) => peak < memory.peak),
    seconds: { reference, epoch, judging, run },
    hardware: HARDWARE.map((machine) => ({
      ...machine,
      fits: memory.peak - runtime < USABLE * machine.memoryGib * 2 ** 30,
      epochSeconds: figuredSeconds(machine, {
        flops: gradient + extra.step * forward,
        passes: (1 + extra.step) * Math.ceil(own.length / loop.batchSize) * config.layers,
      }),
    })),
  };
}

type RowCost = RowSize & PassFlops & { unshared: number };

function rowCost(config: ModelConfig, row: EncodedRow, trained: TrainedParts): RowCost {
  const batch = pack([row]),
    responses = "chosen" in row ? [row.chosen, row.rejected] : [row.completion];
  return {
    tokens: batch.ids.length,
    predicting: batch.rows.length,
    unshared: responses.reduce((sum, { length }) => sum + row.prompt.length + length, 0),
    ...passFlops(config, batch, trained),
  };
}

function pack(rows: EncodedRow[]): TokenBatch {
  const isPair = (row: EncodedRow) => "chosen" in row;
  return rows.every(isPair)
    ? packPairs(rows as EncodedPair[])
    : packExamples(rows as EncodedExample[]);
}

/** The rows of each batch that is in memory at once, over all epochs. */
function batchesOf(size: number, loop: RunLength & { seed: number }): number[][] {
  const { steps, stepsPerEpoch } = planRun(size, loop), batches: number[][] = [];
  for (let epoch = 0; epoch < Math.ceil(steps / stepsPerEpoch); epoch++) {
    const order = epochOrder(size, { seed: loop.seed, epoch });
    for (let at = 0; at < size; at += loop.batchSize) {
      batches.push(order.slice(at, at + loop.batchSize));
    }
  }
  return batches.slice(0, steps * loop.gradientAccumulationSteps);
}

/** The batch in the middle of all by their arithmetic. */
function typicalBatch(batches: number[][], costs: RowCost[]): number[] {
  const flops = (batch: number[]) => batch.reduce((sum, row) => sum + costs[row].gradient, 0);
  const sorted = batches.toSorted((a, b) => flops(a) - flops(b));
  return sorted[Math.floor(sorted.length / 2)];
}

/** What takes less memory and gives the same steps, by its flags. */
function leanerWays(
  { batchSize, gradientAccumulationSteps }: RunLength,
  checkpointing: boolean,
): { flags: string; size: number; checkpointing: boolean }[] {
  const one = `--batch_size 1 --gradient_accumulation_steps ${
    batchSize * gradientAccumulationSteps
  }`;
  const again = "--gradient_checkpointing";
  return [
    { flags: again, size: batchSize, checkpointing: true },
    { flags: one, size: 1, checkpointing },
    { flags: `${one} ${again}`, size: 1, checkpointing: true },
  ].filter((way) => way.checkpointing !== checkpointing || way.size !== batchSize)
    .filter((way) => !checkpointing || !way.flags.includes(again));
}
