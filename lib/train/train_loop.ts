import { join } from "node:path";
import { writeFolderAtomic } from "../io/write_atomic.ts";
import { createRandom, shuffle } from "../random.ts";
import { nextTurn } from "../next_turn.ts";
import { endEpoch, record } from "./epoch_sums.ts";
import { createMemoryGuard, peakMemoryBytes } from "./guards.ts";
import { takeStep } from "./take_step.ts";
import {
  backendName,
  freshState,
  readTrainState,
  removeStepCheckpoints,
  type TrainState,
  writeTrainState,
} from "./train_state.ts";
import type { TrainEvent, TrainLoopOptions, TrainTask } from "./train_types.ts";

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
