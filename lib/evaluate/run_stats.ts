import { z } from "zod";
import type { EvaluationRecord } from "./evaluation_schema.ts";

/** Where rows came from, as a run records it. */
export type RecordedRows = { file?: { sha256: string } | null } | null;

/** What a run recorded of itself in `dpo_training_stats.json`: the part that `readiness` reads. */
export type RunStats = {
  settings: { train_rows?: RecordedRows; validation_rows?: RecordedRows };
  epochs: {
    epoch: number;
    train: Record<string, number>;
    validation: Record<string, number> | null;
  }[];
  steps: { step: number; loss: number }[];
};

const number = z.number("must be a number");
const metrics = z.record(z.string(), number, "must hold the metrics");
const rows = z.looseObject({ file: z.looseObject({ sha256: z.string() }).nullish() }).nullish();

/** The shape of `dpo_training_stats.json`, as far as `readiness` reads it. */
export const runStatsSchema: z.ZodType<RunStats> = z.looseObject({
  settings: z.looseObject({ train_rows: rows, validation_rows: rows }, "must hold the settings"),
  epochs: z.array(
    z.looseObject({ epoch: number, train: metrics, validation: metrics.nullable() }),
    "must list the epochs",
  ),
  steps: z.array(z.looseObject({ step: number, loss: number }), "must list the steps"),
});

/** Chosen Preference on held-out pairs: of the evaluation, else of the last epoch. */
export function preferenceOf(
  { epochs }: RunStats,
  evaluation: EvaluationRecord | null,
): number | null {
  return evaluation?.preference.chosen_preference ??
    epochs.at(-1)?.validation?.chosenPreference ?? null;
}
