import { join } from "node:path";
import { writeFolderAtomic } from "../io/write_atomic.ts";
import { nextTurn } from "../next_turn.ts";
import { endEpoch, record } from "./epoch_sums.ts";
import { createMemoryGuard, peakMemoryBytes } from "./guards.ts";
import { epochOrder, planRun, type RunPlan } from "./plan_run.ts";
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
 * one would. A checkpoint whose epoch was not judged yet goes on with that.
 */
export async function* trainLoop(
  task: TrainTask,
  options: TrainLoopOptions,
): AsyncGenerator<TrainEvent> {
  const { epochs, saveSteps, signal } = options, plan = planRun(task.size, options);
  const { steps, stepsPerEpoch } = plan, state = await startState(task, options.resumeFrom);
  const { rowsPerStep } = plan;
  yield { type: "start", steps, stepsPerEpoch, rowsPerStep, epochs, resumedStep: state.step };
  yield* backendWarning(state);
  const trainStep = createStep(task, options, plan);
  const saved: Saved = { step: 0, path: options.resumeFrom };
  const save = (name: string) => writeCheckpoint(task, options, { name, state, saved });
  const stepName = () => `checkpoint_step_${state.step}`;
  while (state.step < steps || state.epochWeight > 0) {
    await nextTurn();
    if (signal?.aborted) {
      if (state.step > saved.step) yield* save(stepName());
      return yield { type: "end", reason: "aborted", step: state.step, state };
    }
    if (epochIsOver(state, plan)) {
      const event = await endEpoch(task, state, { epochs, stepsPerEpoch, signal });
      if (event === null) continue;
      yield event;
      const isWhole = state.step % stepsPerEpoch === 0;
      yield* save(isWhole ? `checkpoint_epoch_${event.epoch}` : stepName());
    } else {
      yield* trainStep(state, saved);
      const isDue = saveSteps && state.step % saveSteps === 0 && !epochIsOver(state, plan);
      if (isDue) yield* save(stepName());
    }
  }
  yield { type: "end", reason: "finished", step: state.step, state };
}

/** Whether an epoch's last step, or the run's, was taken and is not judged yet. */
function epochIsOver(
  { step, epochWeight }: TrainState,
  { steps, stepsPerEpoch }: RunPlan,
): boolean {
  return epochWeight > 0 && (step % stepsPerEpoch === 0 || step === steps);
}

/** The checkpoint to go back to: what this run wrote last, or what it went on from. */
type Saved = { step: number; path?: string };

/** Makes the function that takes a run's next step, and says what there is to say of it. */
function createStep(task: TrainTask, options: TrainLoopOptions, plan: RunPlan) {
  const { steps, stepsPerEpoch, rowsPerStep } = plan, orderOf = epochOrders(task, options);
  const memoryGuard = createMemoryGuard(options.memory);
  return async function* (state: TrainState, { path }: Saved): AsyncGenerator<TrainEvent> {
    const startedMs = performance.now(), start = (state.step % stepsPerEpoch) * rowsPerStep;
    const order = orderOf(Math.floor(state.step / stepsPerEpoch));
    const rows = order.slice(start, start + rowsPerStep);
    const run = { ...options, step: state.step, steps, lastCheckpoint: path };
    const result = await takeStep(task, rows, run), epoch = (state.step + 1) / stepsPerEpoch;
    record(state, result, { epoch, startedMs, items: rows.length });
    yield { type: "step", step: state.step, steps, metrics: state.stepLog.at(-1)! };
    const warnings = [...task.judge(result, state.step / steps), ...memoryGuard()];
    for (const warning of warnings) yield { type: "warning", ...warning };
  };
}

async function startState(task: TrainTask, resumeFrom: string | undefined): Promise<TrainState> {
  if (resumeFrom !== undefined) {
    const state = await readTrainState(resumeFrom, task.models, task.run);
    return { ...state, run: task.run }; // its length may be another one now
  }
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

/** Writes a checkpoint, after which the earlier ones between epochs have no use. */
async function* writeCheckpoint(
  task: TrainTask,
  { outputDir }: TrainLoopOptions,
  { name, state, saved }: { name: string; state: TrainState; saved: Saved },
): AsyncGenerator<TrainEvent> {
  if (outputDir === undefined) return;
  const path = join(outputDir, name);
  state.peakMemoryBytes = Math.max(state.peakMemoryBytes, peakMemoryBytes());
  await writeFolderAtomic(path, async (folder) => {
    await task.save(folder);
    await writeTrainState(folder, task.models, state);
  });
  await removeStepCheckpoints(outputDir, { ...state, keep: name });
  Object.assign(saved, { step: state.step, path });
  yield { type: "checkpoint", path, step: state.step, state };
}

/** The rows of an epoch in their order, drawn once an epoch. */
function epochOrders({ size }: TrainTask, { seed }: TrainLoopOptions): (epoch: number) => number[] {
  let current = -1, order: number[] = [];
  return (epoch) => {
    if (epoch !== current) [current, order] = [epoch, epochOrder(size, { seed, epoch })];
    return order;
  };
}
