import { z } from "zod";
import { readJsonFile } from "../io/read_json.ts";
import type { PreferenceMetrics } from "../types.ts";
import type { Interval } from "./bootstrap.ts";

/** 95 % intervals by measure; null where there is none. */
export type Intervals = Record<string, Interval | null>;

/** What is measured of written texts; all but `mean_tokens` are shares, null where nothing tells. */
export type MeasureRecord = {
  hallucination_rate: number | null;
  notes_with_hallucination: number | null;
  recall: number | null;
  mean_tokens: number | null;
  stop_rate: number | null;
  repetition: number | null;
  gibberish_rate: number | null;
  intervals: Intervals;
};

/** Clinical details in all texts, and those of them that the prompts don't bear out. */
export type DetailCounts = { details: number; unsupported_details: number };

/** Means over pairs; log-probabilities and rewards in nats. */
export type PreferenceMeans = Omit<PreferenceMetrics, "chosenPreference"> & {
  chosen_preference: number;
  intervals: Intervals;
};

/** Means over all pairs, and by group. */
export type PreferenceRecord = PreferenceMeans & {
  by_kind: Record<string, PreferenceMeans>;
  by_length: Record<string, PreferenceMeans>;
  by_similarity: Record<string, PreferenceMeans>;
};

/** What `evaluation.json` holds. */
export type EvaluationRecord = {
  /** Different prompts that the models wrote for. */
  prompts: number;
  preference: PreferenceRecord;
  control_preference: PreferenceRecord | null;
  generation: {
    sft: MeasureRecord & DetailCounts;
    dpo: MeasureRecord & DetailCounts;
    control?: MeasureRecord & DetailCounts;
  };
  /** What the first has more than the second, paired by prompt. */
  differences: {
    dpo_sft: MeasureRecord;
    control_sft?: MeasureRecord;
    dpo_control?: MeasureRecord;
  };
  /** The chosen answers, measured as the models' are. */
  chosen_answers: DetailCounts & {
    answers: number;
    hallucination_rate: number | null;
    notes_with_hallucination: number | null;
    intervals: Intervals;
  };
  /** Nats a token under Stage A from which on a text counts as gibberish. */
  gibberish_above: number;
  /** Pairs that encoding left out. */
  dropped: number;
  /** Whether the test file is the training file, and prompts that both hold; null where not known. */
  overlap: { same_file: boolean | null; prompts: number | null };
  settings: Record<string, unknown>;
  versions: Record<string, string>;
  backend: Record<string, unknown>;
  hashes: { sft_model: string; dpo_model: string; control_model?: string; test_file: string };
};

const number = z.number("must be a number"), text = z.string("must be a text");
const measure = number.nullable();
const intervals = z.record(
  z.string(),
  z.tuple([number, number]).nullable(),
  "must hold an interval for each measure",
);
const measures = z.object({
  hallucination_rate: measure,
  notes_with_hallucination: measure,
  recall: measure,
  mean_tokens: measure,
  stop_rate: measure,
  repetition: measure,
  gibberish_rate: measure,
  intervals,
}, "must hold each measure");
const counts = { details: number, unsupported_details: number };
const generation = measures.extend(counts);
const means = z.object({
  loss: number,
  chosen_preference: number,
  "rewards/chosen": number,
  "rewards/rejected": number,
  "rewards/accuracies": number,
  "rewards/ties": number,
  "rewards/margins": number,
  "logps/chosen": number,
  "logps/rejected": number,
  "drift/chosen": number,
  "drift/rejected": number,
  pairs: number,
  intervals,
}, "must hold the pairs' means");
const groups = z.record(z.string(), means, "must hold means for each group");
const preference = means.extend({ by_kind: groups, by_length: groups, by_similarity: groups });

/** The shape of `evaluation.json`. */
export const evaluationSchema: z.ZodType<EvaluationRecord> = z.looseObject({
  prompts: number,
  preference,
  control_preference: preference.nullable(),
  generation: z.object(
    { sft: generation, dpo: generation, control: generation.optional() },
    "must hold what each model writes",
  ),
  differences: z.object({
    dpo_sft: measures,
    control_sft: measures.optional(),
    dpo_control: measures.optional(),
  }, "must hold the paired differences"),
  chosen_answers: z.object({
    answers: number,
    ...counts,
    hallucination_rate: measure,
    notes_with_hallucination: measure,
    intervals,
  }, "must hold what was measured of the chosen answers"),
  gibberish_above: number,
  dropped: number,
  overlap: z.object(
    { same_file: z.boolean().nullable(), prompts: number.nullable() },
    "must say whether the test file was trained on",
  ),
  settings: z.record(z.string(), z.unknown(), "must hold the settings"),
  versions: z.record(z.string(), text, "must hold the versions"),
  backend: z.record(z.string(), z.unknown(), "must describe what computed"),
  hashes: z.object({
    sft_model: text,
    dpo_model: text,
    control_model: text.optional(),
    test_file: text,
  }, "must hold the hashes of models and file"),
});

/**
 * Reads an `evaluation.json`.
 *
 * @throws {UserError} when it can't be read, or lacks what {@link evaluationSchema} wants.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readEvaluation } from "./evaluation_schema.ts";
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, '{"prompts": "all"}');
 * await assert.rejects(readEvaluation(path), /"prompts" must be a number, found "all"/);
 * ```
 */
export async function readEvaluation(path: string): Promise<EvaluationRecord> {
  return await readJsonFile(path, evaluationSchema);
}
