import type { EvaluationRecord } from "../lib/evaluate/evaluation_schema.ts";
import type { Readiness } from "../lib/evaluate/readiness.ts";
import type { Verdict } from "../lib/evaluate/verdict.ts";
import type { UnsupportedDetail } from "../lib/meter/measure_hallucination.ts";
import type { Metrics } from "../lib/train/train_types.ts";
import type { PairsRecord } from "../lib/evaluate/pairs_record.ts";

/** Who writes, in the order in which texts stand side by side. */
export const WRITERS = ["sft", "dpo", "control"] as const;
export type Writer = typeof WRITERS[number];

/** What people call the writers. */
export const WRITER_NAMES: Record<Writer, string> = {
  sft: "Stage A",
  dpo: "DPO",
  control: "Control",
};

/** A line of `samples.jsonl`: a prompt with what each model wrote. */
export type Sample = {
  prompt: string;
  reference: string;
  texts: Partial<Record<Writer, { text: string; unsupported: UnsupportedDetail[] }>>;
};

/** An epoch's line in a run's numbers. */
export type EpochLine = {
  epoch: number;
  step: number;
  train: Metrics;
  validation: Metrics | null;
};

/** How fast a run was, and what it took. */
export type RunCost = {
  pairsPerSecond: number;
  tokensPerSecond: number;
  elapsedMs: number;
  peakMemoryBytes: number;
};

/** All that a page shows of a run; what isn't there is null or empty. */
export type RunView = {
  /** The run's folder, as it was named. */
  name: string;
  /** `running` pages reload themselves. */
  state: "running" | "finished" | "stopped";
  /** Steps that the whole run has; null where it isn't known. */
  totalSteps: number | null;
  settings: Record<string, unknown>;
  versions: Record<string, string>;
  backend: Record<string, unknown>;
  cost: RunCost | null;
  steps: Metrics[];
  epochs: EpochLine[];
  evaluation: EvaluationRecord | null;
  samples: Sample[];
  pairs: PairsRecord | null;
  readiness: Readiness | null;
  verdict: Verdict | null;
};
