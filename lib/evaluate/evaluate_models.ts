import type { TestTriplet } from "../data/triplet_schema.ts";
import { UserError } from "../errors.ts";
import { encodePairs } from "../tokenizer/encode_all.ts";
import type { Models } from "../train/build_models.ts";
import { joinLogProbs } from "../train/pair_sums.ts";
import { whyNoRow } from "../train/rows_origin.ts";
import { scorePairs } from "../train/score_pairs.ts";
import type { Triplet } from "../types.ts";
import type { GenerateOptions } from "./generate.ts";
import { type AnswerScores, judgeAnswers } from "./judge_answers.ts";
import {
  compareGeneration,
  type GenerationScores,
  type JudgedText,
  judgeGeneration,
} from "./judge_generation.ts";
import { judgePreference, type PreferenceReport } from "./judge_preference.ts";
import { gibberishBound } from "./perplexity.ts";
import {
  differentPrompts,
  type Task,
  textOf,
  writeTexts,
  type WrittenText,
} from "./write_texts.ts";

/** Stage A, what DPO made of it, and what imitation did. */
export type Compared = { sft: Models; dpo: Models; control?: Models };

/** Options of {@link evaluateModels}. */
export type EvaluateModelsOptions =
  & Pick<GenerateOptions, "maxNewTokens" | "temperature" | "seed" | "signal">
  & {
    /** Pairs, and texts, in memory at once; 8 and 16 unless given. */
    batchSize?: number;
    beta: number;
    maxLength?: number;
    /** Leaves out and counts pairs of which `maxLength` leaves no answer, instead of refusing them. */
    skipInvalid?: boolean;
    /** Writes for so many of the different prompts; for all unless given. */
    samples?: number;
    onProgress?: (label: string, done: number, total: number) => void;
  };

/** Who reads and writes. */
export type ModelName = "sft" | "dpo" | "control";

/** What was found: preference of the trained models, what all of them write, and the differences. */
export type ModelsEvaluation = {
  preference: Partial<Record<"dpo" | "control", PreferenceReport>>;
  generation: Partial<Record<ModelName, GenerationScores>>;
  /** What the first has more than the second, by prompt. */
  differences: {
    dpoSft: GenerationScores;
    controlSft?: GenerationScores;
    dpoControl?: GenerationScores;
  };
  /** Nats a token above which a text counts as gibberish. */
  gibberishAbove: number;
  /** The chosen answers, measured as the models' are. */
  chosen: AnswerScores;
  /** Pairs that encoding left out. */
  dropped: number;
  tasks: Task[];
  texts: Partial<Record<ModelName, WrittenText[]>>;
};

/**
 * Compares models on triplets that none of them was trained on: which answer they prefer, and what
 * they write. Stage A is the reference; the policies lie over its weights.
 *
 * **Source**: loss and rewards arXiv 2305.18290, Eq. 7, plain DPO's whatever the policies were trained
 * with; intervals as `bootstrap`, percentile, 95 %.
 * **Units**: nats; shares between 0 and 1; tokens.
 * **Memory**: no tensor is left behind, and the models stay the caller's.
 *
 * @param models Stage A, and policies that `openPolicy` laid over it or loaded beside it.
 * @param triplets Pairs of a file that none was trained on, from `loadTestTriplets` or `loadTriplets`.
 * @throws {UserError} when a pair can't be encoded (see `skipInvalid`), none is left, or a policy reads
 * other tokens than Stage A.
 *
 * @example An untrained policy prefers neither answer and writes what Stage A does.
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { buildModels } from "../train/build_models.ts";
 * import { evaluateModels } from "./evaluate_models.ts";
 * const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
 * using sft = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const options = { beta: 0.1, maxNewTokens: 8 };
 * const found = await evaluateModels({ sft, dpo: sft }, triplets.slice(0, 2), options);
 * assert.equal(found.preference.dpo?.chosenPreference, 0.5);
 * assert.equal(found.differences.dpoSft.hallucinationRate.value, 0);
 * ```
 */
export async function evaluateModels(
  models: Compared,
  triplets: readonly TestTriplet[],
  { beta, maxLength, skipInvalid, samples, onProgress, ...writing }: EvaluateModelsOptions,
): Promise<ModelsEvaluation> {
  const { sft, dpo, control } = models, { signal } = writing;
  const encoded = encodePairs(sft.tokenizer, triplets, { maxLength, skipInvalid });
  const { rows, dropped } = encoded;
  if (rows.length === 0) {
    throw new UserError(`Cannot compare models: no pair is left${whyNoRow(encoded)}`);
  }
  const used = rows.map(({ index }) => triplets[index]);
  for (const policy of [dpo, control]) if (policy) checkTokens(policy, sft, used);
  const score = (of: Models, label: string, adapter: boolean) =>
    scorePairs(of, rows, {
      ...{ adapter, batchSize: writing.batchSize ?? 8, signal },
      onProgress: (done) => onProgress?.(label, done, rows.length),
    });
  const reference = await score(sft, "Stage A reads", false);
  const traits = used.map(({ chosen, rejected, kind }) => ({
    ...{ chosen: textOf(chosen), rejected: textOf(rejected), kind },
  }));
  const judge = async (of: Models, label: string) =>
    judgePreference(joinLogProbs(rows, await score(of, label, true), reference), traits, { beta });
  const preference = {
    dpo: await judge(dpo, "DPO reads"),
    ...(control && { control: await judge(control, "Control reads") }),
  };
  const tasks = differentPrompts(used).slice(0, samples);
  const write = (of: Models, label: string, adapter = true) =>
    writeTexts(of, tasks, {
      ...writing,
      stageA: sft,
      adapter,
      onProgress: (done, total) => onProgress?.(label, done, total),
    });
  const texts = {
    sft: await write(sft, "Stage A writes", false),
    dpo: await write(dpo, "DPO writes"),
    ...(control && { control: await write(control, "Control writes") }),
  };
  const chosenSurprise = rows.map((row, i) => -reference.chosen[i] / row.chosen.length);
  const gibberishAbove = gibberishBound(texts.sft.map(({ surprise }) => surprise), chosenSurprise);
  const judged = (written: WrittenText[]): JudgedText[] =>
    written.map((text) => ({
      ...text,
      unsupported: text.unsupported.length,
      isGibberish: text.surprise > gibberishAbove,
    }));
  const [a, b, c] = [judged(texts.sft), judged(texts.dpo), texts.control && judged(texts.control)];
  return {
    ...{ preference, gibberishAbove, tasks, texts, dropped, chosen: judgeAnswers(tasks) },
    generation: {
      ...{ sft: judgeGeneration(a), dpo: judgeGeneration(b) },
      ...(c && { control: judgeGeneration(c) }),
    },
    differences: {
      dpoSft: compareGeneration(b, a),
      ...(c && { controlSft: compareGeneration(c, a), dpoControl: compareGeneration(b, c) }),
    },
  };
}

/** A whole model has a tokenizer of its own; what is compared must be the same tokens. */
function checkTokens(policy: Models, sft: Models, triplets: readonly Triplet[]): void {
  if (policy.tokenizer === sft.tokenizer) return;
  const idsOf = ({ tokenizer }: Models) => JSON.stringify(encodePairs(tokenizer, triplets).rows);
  if (idsOf(policy) === idsOf(sft)) return;
  const { path } = policy.source;
  throw new UserError(
    `Cannot compare "${path}" with "${sft.source.path}": it reads the test file as other tokens, ` +
      "wanted a model made from the same one",
    { path },
  );
}
