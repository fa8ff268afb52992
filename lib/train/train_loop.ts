import { join } from "node:path";
import { UserError } from "../errors.ts";
import { writeFolderAtomic } from "../io/write_atomic.ts";
import { learningRateAt, type Schedule } from "../optim/schedule.ts";
import { createRandom, shuffle } from "../random.ts";
import type { Models } from "./build_models.ts";
import { nextTurn } from "../next_turn.ts";
import { createMemoryGuard, peakMemoryBytes, type Warning } from "./guards.ts";
import {
  backendName,
  freshState,
  readTrainState,
  removeStepCheckpoints,
  type TrainState,
  writeTrainState,
} from "./train_state.ts";
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

/** A run's settings, by the command line's names in camelCase. */
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
  /** A checkpoint folder to go on from; "auto" is the furthest one of this run in `outputDir`. */
  resumeFrom?: string;
  /** Memory of the machine in bytes, for the warning before it runs out. */
  machineBytes?: number;
  signal?: AbortSignal;
};

/** Defaults of a run that DPO and SFT share, those of the command line. */
export const LOOP_DEFAULTS = {
  epochs: 2,
  gradientAccumulationSteps: 1,
  schedule: "linear",
  warmupRatio: 0.1,
  maxGradNorm: 1,
  weightDecay: 0,
  seed: 42,
} as const;

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
  judge(step: StepGradients, progress: number): Warning[];
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
  const { epochs, saveSteps, signal, machineBytes = Infinity } = options;
  const perStep = options.batchSize * options.gradientAccumulationSteps;
  const stepsPerEpoch = Math.ceil(task.size / perStep);
  const steps = Math.min(epochs * stepsPerEpoch, options.maxSteps ?? Infinity);
  const state = await startState(task, options.resumeFrom);
  yield { type: "start", steps, stepsPerEpoch, epochs, resumedStep: state.step };
  yield* backendWarning(state);
  const memoryGuard = createMemoryGuard(machineBytes), orderOf = epochOrders(task, options);
  let savedStep = 0;
  while (state.step < steps) {
    const epoch = Math.floor(state.step / stepsPerEpoch), inEpoch = state.step % stepsPerEpoch;
    await nextTurn();
    if (signal?.aborted) {
      const name = `checkpoint_step_${state.step}`;
      if (state.step > savedStep) yield* writeCheckpoint(task, options, { name, state });
      return yield { type: "end", reason: "aborted", step: state.step, state };
    }
    const startedMs = performance.now();
    const rows = orderOf(epoch).slice(inEpoch * perStep, (inEpoch + 1) * perStep);
    const hasCheckpoint = (savedStep > 0 ? options.outputDir : options.resumeFrom) !== undefined;
    const run = { ...options, step: state.step, steps, hasCheckpoint };
    const result = await takeStep(task, rows, run);
    record(state, result, {
      epoch: (state.step + 1) / stepsPerEpoch,
      startedMs,
      items: rows.length,
    });
    yield { type: "step", step: state.step, steps, metrics: state.stepLog.at(-1)! };
    const warnings = [
      ...task.judge(result, state.step / steps),
      ...memoryGuard(peakMemoryBytes()),
    ];
    for (const warning of warnings) yield { type: "warning", ...warning };
    const epochEnds = state.step % stepsPerEpoch === 0 || state.step === steps;
    if (epochEnds) yield await endEpoch(task, state, { epoch: epoch + 1, epochs });
    if (!epochEnds && (!saveSteps || state.step % saveSteps !== 0)) continue;
    const name = epochEnds ? `checkpoint_epoch_${epoch + 1}` : `checkpoint_step_${state.step}`;
    yield* writeCheckpoint(task, options, { name, state });
    savedStep = state.step;
  }
  yield { type: "end", reason: "finished", step: state.step, state };
}

async function startState(task: TrainTask, resumeFrom: string | undefined): Promise<TrainState> {
  if (resumeFrom !== undefined) return await readTrainState(resumeFrom, task.models, task.run);
  task.models.optimizer = null; // of an earlier run with the same models
  return freshState(task.run);
}

/** Says that a run goes on with other kernels than it began with. */
function* backendWarning(state: TrainState): Generator<TrainEvent> {
  const backend = backendName();
  if (state.backend === backend) return;
  const message = `This run was begun on ${state.backend} and goes on on ${backend}: its numbers ` +
    "will differ in their last digits from those of a run that was not interrupted.";
  state.backend = backend;
  yield { type: "warning", code: "backend", message };
}

/** Writes a checkpoint, after which the ones between epochs that lie before it have no use. */
async function* writeCheckpoint(
  task: TrainTask,
  { outputDir }: TrainLoopOptions,
  { name, state }: { name: string; state: TrainState },
): AsyncGenerator<TrainEvent> {
  if (outputDir === undefined) return;
  const path = join(outputDir, name);
  await writeFolderAtomic(path, async (folder) => {
    await task.save(folder);
    await writeTrainState(folder, task.models, state);
  });
  await removeStepCheckpoints(outputDir, state);
  yield { type: "checkpoint", path, step: state.step };
}

async function takeStep(
  task: TrainTask,
  rows: number[],
  options: TrainLoopOptions & { step: number; steps: number; hasCheckpoint: boolean },
): Promise<StepGradients> {
  const { batchSize, schedule, warmupRatio, maxGradNorm, weightDecay, step, steps } = options;
  const microBatches = Array.from(
    { length: Math.ceil(rows.length / batchSize) },
    (_, i) => rows.slice(i * batchSize, (i + 1) * batchSize),
  );
  const result = await task.gradients(microBatches), { loss } = result.metrics;
  const learningRate = learningRateAt(step, {
    schedule,
    learningRate: options.learningRate,
    totalSteps: steps,
    warmupRatio,
  });
  const norm = Number.isFinite(loss)
    ? updateStep(task.models, result.gradients, { learningRate, maxGradNorm, weightDecay })
    : NaN;
  if (!Number.isFinite(norm)) {
    throw new UserError(
      `Cannot go on at step ${step + 1}: loss ${loss} and gradient norm ${norm} on ` +
        `${task.nameRows(rows)} are not both finite. This step was not taken, ` +
        (options.hasCheckpoint ? "and the last checkpoint is good" : "no checkpoint was written") +
        "; look at those rows, or lower --learning_rate",
    );
  }
  return {
    ...result,
    metrics: { ...result.metrics, grad_norm: norm, learning_rate: learningRate },
  };
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
  state.stepLog.push({ step: state.step, epoch, ...metrics, tokens, ...speed });
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

/** The rows of an epoch in their order, which is drawn once an epoch. */
function epochOrders({ size }: TrainTask, { seed }: TrainLoopOptions): (epoch: number) => number[] {
  let current = -1, order: number[] = [];
  return (epoch) => {
    if (epoch !== current) {
      const rows = Array.from({ length: size }, (_, i) => i);
      order = shuffle(rows, createRandom(seed + 7919 * (epoch + 1)));
      current = epoch;
    }
    return order;
  };
}

/** Rows in a message: their places among the rows that are trained on, counted from 1. */
export function nameRows(rows: { index: number }[]): string {
  return `rows ${rows.map(({ index }) => index + 1).join(", ")} of the training set`;
}
