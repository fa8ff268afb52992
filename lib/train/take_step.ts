import { UserError } from "../errors.ts";
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
    throw new UserError(
      `Cannot go on at step ${step + 1}: loss ${loss} and gradient norm ${norm} on ` +
        `${task.nameRows(rows)} are not both finite. This step was not taken, ` +
        (options.lastCheckpoint ? "and the last checkpoint is good" : "no checkpoint was written") +
        "; look at those rows, or lower --learning_rate",
    );
  }
  return {
    ...result,
    metrics: { ...result.metrics, grad_norm: norm, learning_rate: learningRate },
  };
}

/** Rows in a message: their places among the rows that are trained on, counted from 1. */
export function nameRows(rows: { index: number }[]): string {
  return `rows ${rows.map(({ index }) => index + 1).join(", ")} of the training set`;
}
