import { z } from "zod";
import dpoKit from "../../deno.json" with { type: "json" };
import tfjs from "@tensorflow/tfjs/package.json" with { type: "json" };
import { describeBackend } from "../backend/use_backend.ts";
import { readJsonFile } from "../io/read_json.ts";
import type { Estimated } from "./bootstrap.ts";
import type { ModelsEvaluation } from "./evaluate_models.ts";
import type { GenerationScores } from "./judge_generation.ts";
import type { JudgedPreference, PreferenceReport } from "./judge_preference.ts";
import type { WrittenText } from "./write_texts.ts";

const number = z.number("must be a number");
const intervals = z.record(
  z.string(),
  z.tuple([number, number]).nullable(),
  "must hold an interval for each measure",
);
const measure = number.nullable();
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

/** The shape of `evaluation.json`. Shares lie between 0 and 1, log-probabilities are in nats. */
export const evaluationSchema = z.looseObject({
  prompts: number,
  preference,
  control_preference: preference.nullable(),
  generation: z.object({ sft: generation, dpo: generation, control: generation.optional() }),
  differences: z.object({
    dpo_sft: measures,
    control_sft: measures.optional(),
    dpo_control: measures.optional(),
  }),
  chosen_answers: z.object({
    answers: number,
    ...counts,
    hallucination_rate: measure,
    notes_with_hallucination: measure,
    intervals,
  }),
  gibberish_above: number,
  dropped: number,
  overlap: z.object({
    same_file: z.boolean().nullable(),
    prompts: number.nullable(),
  }),
  settings: z.record(z.string(), z.unknown()),
  versions: z.record(z.string(), z.string()),
  backend: z.record(z.string(), z.unknown()),
  hashes: z.looseObject({ sft_model: z.string(), dpo_model: z.string(), test_file: z.string() }),
});

/** What `evaluation.json` holds. */
export type EvaluationRecord = z.infer<typeof evaluationSchema>;

/** What the numbers don't tell of themselves. */
export type EvaluationOrigin = Pick<EvaluationRecord, "settings" | "hashes" | "overlap">;

/**
 * Reads an `evaluation.json`.
 *
 * @throws {UserError} when it can't be read, or lacks what {@link evaluationSchema} wants.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readEvaluation } from "./evaluation_record.ts";
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, '{"prompts": "all"}');
 * await assert.rejects(readEvaluation(path), /"prompts" must be a number, found "all"/);
 * ```
 */
export async function readEvaluation(path: string): Promise<EvaluationRecord> {
  return await readJsonFile(path, evaluationSchema);
}

/**
 * Lays an evaluation out as `evaluation.json` holds it, with the versions and the backend of this
 * process.
 *
 * @param evaluation What `evaluateModels` found.
 * @param origin Settings, hashes of models and file, and whether it was trained on.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { buildModels } from "../train/build_models.ts";
 * import { evaluateModels } from "./evaluate_models.ts";
 * import { evaluationRecord, evaluationSchema } from "./evaluation_record.ts";
 * const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
 * using sft = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const options = { beta: 0.1, maxNewTokens: 8 };
 * const found = await evaluateModels({ sft, dpo: sft }, triplets.slice(0, 2), options);
 * const hashes = { sft_model: sft.source.hash, dpo_model: sft.source.hash, test_file: "" };
 * const overlap = { same_file: false, prompts: 0 };
 * const record = evaluationRecord(found, { settings: { beta: 0.1 }, hashes, overlap });
 * assert.equal(record.preference.chosen_preference, 0.5);
 * evaluationSchema.parse(JSON.parse(JSON.stringify(record)));
 * ```
 */
export function evaluationRecord(
  evaluation: ModelsEvaluation,
  origin: EvaluationOrigin,
): EvaluationRecord {
  const { preference, generation, differences, texts, chosen } = evaluation;
  const judged = (name: "sft" | "dpo" | "control") => ({
    ...measuresOf(generation[name]!),
    ...countsOf(texts[name]!),
  });
  const { controlSft, dpoControl } = differences, { control } = preference;
  return {
    prompts: evaluation.tasks.length,
    preference: preferenceOf(preference.dpo!),
    control_preference: control ? preferenceOf(control) : null,
    generation: {
      ...{ sft: judged("sft"), dpo: judged("dpo") },
      ...(generation.control && { control: judged("control") }),
    },
    differences: {
      dpo_sft: measuresOf(differences.dpoSft),
      ...(controlSft && { control_sft: measuresOf(controlSft) }),
      ...(dpoControl && { dpo_control: measuresOf(dpoControl) }),
    },
    chosen_answers: {
      answers: chosen.answers,
      details: chosen.details,
      unsupported_details: chosen.unsupported,
      hallucination_rate: chosen.hallucinationRate.value,
      notes_with_hallucination: chosen.notesWithHallucination.value,
      intervals: {
        hallucination_rate: chosen.hallucinationRate.interval,
        notes_with_hallucination: chosen.notesWithHallucination.interval,
      },
    },
    gibberish_above: evaluation.gibberishAbove,
    dropped: evaluation.dropped,
    ...origin,
    versions: { "dpo-kit": dpoKit.version, deno: Deno.version.deno, tfjs: tfjs.version },
    backend: { ...describeBackend() },
  };
}

/** A prompt's line of `samples.jsonl`. */
export function sampleRow(
  { tasks, texts }: ModelsEvaluation,
  i: number,
): Record<string, unknown> {
  const { prompt, reference } = tasks[i];
  const names = (["sft", "dpo", "control"] as const).filter((name) => texts[name]);
  return {
    ...{ prompt, reference },
    ...Object.fromEntries(names.map((name) => [name, texts[name]![i].text])),
    ...Object.fromEntries(
      names.map((name) => [`${name}_unsupported`, texts[name]![i].unsupported]),
    ),
  };
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
const renamed = (values: object) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [snakeCase(name), value]));

function measuresOf(scores: GenerationScores): z.infer<typeof measures> {
  const part = (key: keyof Estimated) =>
    renamed(Object.fromEntries(Object.entries(scores).map(([name, found]) => [name, found[key]])));
  return { ...part("value"), intervals: part("interval") } as z.infer<typeof measures>;
}

function countsOf(texts: readonly WrittenText[]): { details: number; unsupported_details: number } {
  return {
    details: texts.reduce((sum, text) => sum + text.details, 0),
    unsupported_details: texts.reduce((sum, text) => sum + text.unsupported.length, 0),
  };
}

function meansOf(judged: JudgedPreference): z.infer<typeof means> {
  return { ...renamed(judged), intervals: renamed(judged.intervals) } as z.infer<typeof means>;
}

function preferenceOf(
  { byKind, byLength, bySimilarity, ...all }: PreferenceReport,
): z.infer<typeof preference> {
  const each = (parts: Record<string, JudgedPreference>) =>
    Object.fromEntries(Object.entries(parts).map(([label, part]) => [label, meansOf(part)]));
  return {
    ...meansOf(all),
    ...{ by_kind: each(byKind), by_length: each(byLength), by_similarity: each(bySimilarity) },
  };
}
