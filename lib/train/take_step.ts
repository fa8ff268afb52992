import { UserError } from "../errors.ts";
import { placeOf } from "../row_place.ts";
import { learningRateAt } from "../optim/schedule.ts";
import type { StepGradients, TrainLoopOptions, TrainTask } from "./train_types.ts";
import { updateStep } from "./update_step.ts";

/**
 * Takes one update on rows of the training set, in micro-batches.
 *
 * @throws {UserError} when loss or gradient is not finite; nothing is changed then.
 */
export async function takeStep(
  task: TrainTask,
  rows: number[],
  options: TrainLoopOptions & { step: number; steps: number; lastCheckpoint?: string },
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
    const what = `loss ${loss} and gradient norm ${norm} on ${task.nameRows(rows)}`;
    throw notFinite(what, options);
  }
  return {
    ...result,
    metrics: { ...result.metrics, grad_norm: norm, learning_rate: learningRate },
  };
}

function notFinite(
  what: string,
  { step, lastCheckpoint }: { step: number; lastCheckpoint?: string },
): UserError {
  const left = lastCheckpoint === undefined
    ? "no checkpoint was written"
    : `and the last checkpoint "${lastCheckpoint}" is good: --resume goes on from it, with these ` +
      "rows and settings";
  return new UserError(
    `Cannot go on at step ${step + 1}: ${what} are not both finite. This step was not taken, ` +
      `${left}. Look at those rows, or lower --learning_rate and begin anew`,
    { path: lastCheckpoint },
  );
}

/** Rows in a message: by their lines in the file, else by their places among the encoded rows. */
export function nameRows(rows: { index: number }[]): string {
  const read = rows.map(placeOf), [first] = read;
  if (first && read.every((place) => place?.path === first.path)) {
    return `lines ${read.map((place) => place!.line).join(", ")} of "${first.path}"`;
  }
  const places = rows.map(({ index }) => index + 1).join(", ");
  return `rows ${places} of the training set (as loaded: blank lines, bad rows and rows kept for ` +
    "validation are not counted)";
}
