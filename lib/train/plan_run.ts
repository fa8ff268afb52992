import { createRandom, shuffle } from "../random.ts";
import type { TrainLoopOptions } from "./train_types.ts";

/** How many updates a run and an epoch have, and how many rows go into one. */
export type RunPlan = { steps: number; stepsPerEpoch: number; rowsPerStep: number };

/** The settings that a run's length follows from. */
export type RunLength = Pick<
  TrainLoopOptions,
  "epochs" | "batchSize" | "gradientAccumulationSteps" | "maxSteps"
>;

/** Lays out a run over `size` rows. */
export function planRun(size: number, loop: RunLength): RunPlan {
  const rowsPerStep = loop.batchSize * loop.gradientAccumulationSteps;
  const stepsPerEpoch = Math.ceil(size / rowsPerStep);
  const steps = Math.min(loop.epochs * stepsPerEpoch, loop.maxSteps ?? Infinity);
  return { steps, stepsPerEpoch, rowsPerStep };
}

/** The rows of an epoch in their order, which follows from seed and epoch alone. */
export function epochOrder(size: number, { seed, epoch }: { seed: number; epoch: number }) {
  const rows = Array.from({ length: size }, (_, i) => i);
  return shuffle(rows, createRandom(seed + 7919 * (epoch + 1)));
}

/** The rows that a run takes at all, in rising order: all, unless it ends within its first epoch. */
export function rowsTaken(size: number, loop: RunLength & { seed: number }): number[] {
  const { steps, rowsPerStep } = planRun(size, loop);
  const first = epochOrder(size, { seed: loop.seed, epoch: 0 });
  return first.slice(0, steps * rowsPerStep).sort((a, b) => a - b);
}
