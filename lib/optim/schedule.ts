/** Shapes of a learning rate over a run, after the warm-up. */
export const schedules = ["constant", "linear", "cosine"] as const;

/** A shape by name: stays, falls in a line to 0, or falls along half a cosine to 0. */
export type Schedule = typeof schedules[number];

/** Options of {@link learningRateAt}. */
export type LearningRateAtOptions = {
  schedule: Schedule;
  /** The highest rate, reached at the end of the warm-up. */
  learningRate: number;
  /** Updates in the whole run. */
  totalSteps: number;
  /** Share of `totalSteps`, rounded up to whole steps, in which the rate rises from 0. */
  warmupRatio: number;
};

/**
 * Gives the learning rate of an update.
 *
 * With w warm-up steps of T: `step / w` before w, then 1, `(T - step) / (T - w)` or `(1 + cos(pi (step -
 * w) / (T - w))) / 2`, times the highest rate. The first update has step 0, and so the rate 0 if there
 * is a warm-up.
 *
 * **Source**: transformers 5.23, `get_scheduler` ("constant" here is its "constant_with_warmup") with
 * `TrainingArguments.get_warmup_steps`; the cosine is arXiv 1608.03983, Eq. 5, without restarts.
 *
 * @param step Updates made before this one.
 * @param options The shape and its numbers.
 * @returns The rate for this update.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { learningRateAt } from "./schedule.ts";
 * const options = { schedule: "linear", learningRate: 1, totalSteps: 10, warmupRatio: 0.2 } as const;
 * assert.deepEqual([0, 1, 2, 6, 10].map((step) => learningRateAt(step, options)), [0, 0.5, 1, 0.5, 0]);
 * ```
 */
export function learningRateAt(step: number, options: LearningRateAtOptions): number {
  const { schedule, learningRate, totalSteps, warmupRatio } = options;
  const warmupSteps = Math.ceil(totalSteps * warmupRatio);
  if (step < warmupSteps) return learningRate * step / warmupSteps;
  const decaySteps = Math.max(1, totalSteps - warmupSteps);
  switch (schedule) {
    case "constant":
      return learningRate;
    case "linear":
      return learningRate * Math.max(0, (totalSteps - step) / decaySteps);
    case "cosine":
      return learningRate *
        (1 + Math.cos(Math.PI * Math.min(1, (step - warmupSteps) / decaySteps))) / 2;
  }
}
