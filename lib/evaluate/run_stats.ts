import { z } from "zod";
import type { EvaluationRecord } from "./evaluation_schema.ts";

/** What a run recorded of itself in `dpo_training_stats.json`: the part that `readiness` reads. */
export type RunStats = {
  /** Hashes of the rows themselves: those split off one file are others. */
  settings: { data_sha256?: string; validation_sha256?: string | null };
  epochs: {
    epoch: number;
    train: Record<string, number>;
    validation: Record<string, number> | null;
  }[];
  steps: { step: number; loss: number }[];
};

const number = z.number("must be a number");
const metrics = z.record(z.string(), number, "must hold the metrics");

/** The shape of `dpo_training_stats.json`, as far as `readiness` reads it. */
export const runStatsSchema: z.ZodType<RunStats> = z.looseObject({
  settings: z.looseObject(
    { data_sha256: z.string().optional(), validation_sha256: z.string().nullish() },
    "must hold the settings",
  ),
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
