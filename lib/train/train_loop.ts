import { join } from "node:path";
import process from "node:process";
import { UserError } from "../errors.ts";
import { writeFolderAtomic } from "../io/write_atomic.ts";
import { learningRateAt, type Schedule } from "../optim/schedule.ts";
import { createRandom, shuffle } from "../random.ts";
import type { Models } from "./build_models.ts";
import type { Warning } from "./guards.ts";
import { readTrainState, type TrainState, writeTrainState } from "./train_state.ts";
import { updateStep } from "./update_step.ts";

/** Means over what a step or an epoch saw, by TRL's keys. */
export type Metrics = Readonly<Record<string, number>>;

/** What a training loop reports, in the order in which it happens. */
export type TrainEvent =
  | { type: "start"; steps: number; stepsPerEpoch: number; epochs: number; resumedStep: number }
  | { type: "reference"; done: number; total: number }
  | { type: "step"; step: number; steps: number; metrics: Metrics }
  | { type: "epoch"; epoch: number; epochs: number; train: Metrics; validation: Metrics | null }
  | { type: "checkpoint"; path: string; step: number }
  | { type: "warning"; code: string; message: string }
  | { type: "end"; reason: "finished" | "aborted"; step: number; state: TrainState };

export type TrainLoopOptions = {
  epochs: number;
  batchSize: number;
  gradientAccumulationSteps: number;
  learningRate: number;
  schedule: Schedule;
  warmupRatio: number;
  maxGradNorm: number;
  weightDecay: number;
  seed: number;
  /** Ends the run after so many updates. */
  maxSteps?: number;
  /** Where checkpoints go; none are written without it. */
  outputDir?: string;
  /** Writes a checkpoint each so many updates too. */
  saveSteps?: number;
  /** A checkpoint folder to go on from. */
  resumeFrom?: string;
  signal?: AbortSignal;
};

/** What a loop trains with: the objective, and how to judge and save it. */
export type TrainTask = {
  models: Models;
  /** Items of the training set. */
  size: number;
  /** Identity of data, model and settings, for resuming. */
  run: TrainState["run"];
  /** Gradients of micro-batches (rows of the training set) as one batch, with metrics' means. */
  gradients(microBatches: number[][]): Promise<StepGradients>;
  validate(): Promise<Metrics | null>;
  /** Writes the model itself into a checkpoint's folder. */
  save(folder: string): Promise<void>;
  /** Names rows of the training set in a message. */
  nameRows(rows: number[]): string;
  judge(metrics: Metrics, progress: number): Warning[];
};

export type StepGradients = {
  gradients: Float32Array[];
  metrics: Metrics;
  /** What the metrics are means over: pairs, or tokens. */
  weight: number;
  tokens: number;
};

/**
 * Runs epochs of shuffled batches: gradients, clipping, AdamW, schedule, checkpoints, resume. The
 * order of an epoch follows from seed and epoch alone, so a resumed run sees what an uninterrupted
 * one would.
 */
export async function* trainLoop(
  task: TrainTask,
  options: TrainLoopOptions,
): AsyncGenerator<TrainEvent> {
  const { models } = task, { epochs, signal, outputDir } = options;
  const perStep = options.batchSize * options.gradientAccumulationSteps;
  const stepsPerEpoch = Math.ceil(task.size / perStep);
  const steps = Math.min(epochs * stepsPerEpoch, options.maxSteps ?? Infinity);
  const state = options.resumeFrom
    ? await readTrainState(options.resumeFrom, models, task.run)
    : freshState(task.run);
  yield { type: "start", steps, stepsPerEpoch, epochs, resumedStep: state.step };
  const checkpoint = async (name: string): Promise<TrainEvent[]> => {
    if (outputDir === undefined) return [];
    const path = join(outputDir, name);
    await writeFolderAtomic(path, async (folder) => {
      await task.save(folder);
      await writeTrainState(folder, models, state);
    });
    return [{ type: "checkpoint", path, step: state.step }];
  };
  let stepCheckpoint: string | null = null;
  while (state.step < steps) {
    const epoch = Math.floor(state.step / stepsPerEpoch), inEpoch = state.step % stepsPerEpoch;
    if (signal?.aborted) {
      yield* await checkpoint(`checkpoint_step_${state.step}`);
      return yield { type: "end", reason: "aborted", step: state.step, state };
    }
    const startedMs = performance.now();
    const rows = epochOrder(task.size, options.seed, epoch)
      .slice(inEpoch * perStep, (inEpoch + 1) * perStep);
    const metrics = await takeStep(task, rows, { ...options, step: state.step, steps });
    record(state, metrics, {
      epoch: (state.step + 1) / stepsPerEpoch,
      startedMs,
      items: rows.length,
    });
    yield { type: "step", step: state.step, steps, metrics: state.stepLog.at(-1)! };
    for (const warning of task.judge(metrics.metrics, state.step / steps)) {
      yield { type: "warning", ...warning };
    }
    if (state.step % stepsPerEpoch === 0 || state.step === steps) {
      yield await endEpoch(task, state, { epoch: epoch + 1, epochs });
      yield* await checkpoint(`checkpoint_epoch_${epoch + 1}`);
    } else if (options.saveSteps && state.step % options.saveSteps === 0) {
      const name = `checkpoint_step_${state.step}`;
      yield* await checkpoint(name);
      if (outputDir && stepCheckpoint) {
        await Deno.remove(join(outputDir, stepCheckpoint), { recursive: true });
      }
      stepCheckpoint = name;
    }
  }
  yield { type: "end", reason: "finished", step: state.step, state };
}

async function takeStep(
  task: TrainTask,
  rows: number[],
  options: TrainLoopOptions & { step: number; steps: number },
): Promise<StepGradients> {
  const { batchSize, schedule, warmupRatio, maxGradNorm, weightDecay, step, steps } = options;
  const microBatches = Array.from(
    { length: Math.ceil(rows.length / batchSize) },
    (_, i) => rows.slice(i * batchSize, (i + 1) * batchSize),
  );
  const result = await task.gradients(microBatches);
  const learningRate = learningRateAt(step, {
    schedule,
    learningRate: options.learningRate,
    totalSteps: steps,
    warmupRatio,
  });
  const norm = updateStep(task.models, result.gradients, {
    learningRate,
    maxGradNorm,
    weightDecay,
  });
  if (!Number.isFinite(norm) || !Number.isFinite(result.metrics.loss)) {
    throw new UserError(
      `Training stopped at step ${
        step + 1
      }: the loss is ${result.metrics.loss} and the gradient's ` +
        `norm ${norm} on ${task.nameRows(rows)}. The weights before this step and the last ` +
        "checkpoint are good; look at those rows, or lower --learning_rate",
    );
  }
  const metrics = { ...result.metrics, grad_norm: norm, learning_rate: learningRate };
  return { ...result, metrics };
}

function record(
  state: TrainState,
  { metrics, weight, tokens }: StepGradients,
  { epoch, startedMs, items }: { epoch: number; startedMs: number; items: number },
): void {
  state.step++;
  state.tokens += tokens;
  state.items += items;
  state.elapsedMs += performance.now() - startedMs;
  state.epochWeight += weight;
  for (const [key, value] of Object.entries(metrics)) {
    state.epochSums[key] = (state.epochSums[key] ?? 0) + value * weight;
  }
  const speed = {
    pairs_per_second: 1000 * state.items / state.elapsedMs,
    tokens_per_second: 1000 * state.tokens / state.elapsedMs,
  };
  state.stepLog.push({ step: state.step, epoch, ...metrics, ...speed });
}

async function endEpoch(
  task: TrainTask,
  state: TrainState,
  { epoch, epochs }: { epoch: number; epochs: number },
): Promise<TrainEvent> {
  const means = Object.entries(state.epochSums).map(([key, sum]) => [key, sum / state.epochWeight]);
  const train: Metrics = Object.fromEntries(means);
  const validation = await task.validate();
  state.epochLog.push({ epoch, step: state.step, train, validation });
  state.epochSums = {};
  state.epochWeight = 0;
  return { type: "epoch", epoch, epochs, train, validation };
}

/** Where a run stands that has not begun. */
export function freshState(run: TrainState["run"]): TrainState {
  const zero = { epochSums: {}, epochWeight: 0, tokens: 0, items: 0, elapsedMs: 0 };
  return { version: 1, step: 0, run, ...zero, stepLog: [], epochLog: [] };
}

function epochOrder(size: number, seed: number, epoch: number): number[] {
  return shuffle(
    Array.from({ length: size }, (_, i) => i),
    createRandom(seed + 7919 * (epoch + 1)),
  );
}

/** The most memory that this process ever held, in bytes. */
export function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
