import type { Step } from "./run_steps.ts";

/** What is left to do costs this much. */
export type Cost = {
  downloadBytes: number;
  /** On disk in the end. */
  keptBytes: number;
  /** On disk at most meanwhile, beside what lies there already. */
  peakBytes: number;
};

/** One way to a running TensorFlow. */
export type Way = {
  name: string;
  /** Empty where this way doesn't exist on this machine. */
  steps: Step[];
  /**
   * What the remaining steps cost.
   *
   * @throws {UserError} when this way can't be gone here.
   */
  plan(remaining: string[]): Promise<Cost>;
};
