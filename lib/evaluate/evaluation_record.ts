import dpoKit from "../../deno.json" with { type: "json" };
import tfjs from "@tensorflow/tfjs/package.json" with { type: "json" };
import { describeBackend } from "../backend/use_backend.ts";
import type { Estimated } from "./bootstrap.ts";
import type { ModelsEvaluation } from "./evaluate_models.ts";
import type {
  DetailCounts,
  EvaluationRecord,
  MeasureRecord,
  PreferenceMeans,
  PreferenceRecord,
} from "./evaluation_schema.ts";
import type { GenerationScores } from "./judge_generation.ts";
import type { JudgedPreference, PreferenceReport } from "./judge_preference.ts";
import type { WrittenText } from "./write_texts.ts";

/** What the numbers don't tell of themselves. */
export type EvaluationOrigin = Pick<EvaluationRecord, "settings" | "hashes" | "overlap">;

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
 * import { evaluationRecord } from "./evaluation_record.ts";
 * import { evaluationSchema } from "./evaluation_schema.ts";
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

function measuresOf(scores: GenerationScores): MeasureRecord {
  const part = (key: keyof Estimated) =>
    renamed(Object.fromEntries(Object.entries(scores).map(([name, found]) => [name, found[key]])));
  return { ...part("value"), intervals: part("interval") } as MeasureRecord;
}

function countsOf(texts: readonly WrittenText[]): DetailCounts {
  return {
    details: texts.reduce((sum, text) => sum + text.details, 0),
    unsupported_details: texts.reduce((sum, text) => sum + text.unsupported.length, 0),
  };
}

function meansOf(judged: JudgedPreference): PreferenceMeans {
  return { ...renamed(judged), intervals: renamed(judged.intervals) } as PreferenceMeans;
}

function preferenceOf(
  { byKind, byLength, bySimilarity, ...all }: PreferenceReport,
): PreferenceRecord {
  const each = (parts: Record<string, JudgedPreference>) =>
    Object.fromEntries(Object.entries(parts).map(([label, part]) => [label, meansOf(part)]));
  return {
    ...meansOf(all),
    ...{ by_kind: each(byKind), by_length: each(byLength), by_similarity: each(bySimilarity) },
  };
}
