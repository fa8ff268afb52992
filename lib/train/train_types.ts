import type { Schedule } from "../optim/schedule.ts";
import type { Models } from "./build_models.ts";
import type { MemoryReading, Warning } from "./guards.ts";
import type { TrainState } from "./train_state.ts";

/** Means over what a step or an epoch saw, by TRL's keys. */
export type Metrics = Readonly<Record<string, number>>;

/** What a training loop reports, in the order in which it happens. */
export type TrainEvent =
  | {
    type: "start";
    steps: number;
    stepsPerEpoch: number;
    rowsPerStep: number;
    epochs: number;
    resumedStep: number;
  }
  | { type: "reference"; done: number; total: number }
  | { type: "step"; step: number; steps: number; metrics: Metrics }
  | { type: "epoch"; epoch: number; epochs: number; train: Metrics; validation: Metrics | null }
  | { type: "checkpoint"; path: string; step: number; state: TrainState }
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
  /** Tells what is left of the machine's memory, for the warning before it runs out. */
  memory?: () => MemoryReading;
  signal?: AbortSignal;
  /** Where the rows came from, for the run's record. */
  origin?: RunOrigin;
};

/** What a run's rows don't tell of themselves. */
export type RunOrigin = {
  /** Most tokens of a row, as they were encoded. */
  maxLength?: number;
  train?: RowsOrigin;
  validation?: RowsOrigin;
};

/** Where rows came from, and what was left behind. */
export type RowsOrigin = {
  /** The file that they were read from, with the SHA-256 that `sha256sum` gives it. */
  file: { path: string; sha256: string };
  /** Bad rows of the file that were left out. */
  invalid: number;
  /** Good rows that were left out on encoding, and why the first was. */
  dropped: number;
  firstReason?: string;
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
  /** Judges by the validation set, null where there is none; throws the signal's reason when aborted. */
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
