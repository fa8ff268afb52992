import { percent } from "./figures.ts";
import { signOf } from "./judge_generation.ts";
import type { EvaluationRecord } from "./evaluation_schema.ts";

/** Prompts below which a bootstrap interval is too narrow to judge by. */
export const FEWEST_PROMPTS = 30;
/** The share of chosen answers with an unsupported detail from which on they aren't called clean. */
const UNCLEAN = 0.05;

/** What an evaluation comes to. */
export type Verdict = {
  /** Whether DPO writes fewer (-1) or more (1) unsupported details than Stage A, beyond chance. */
  againstSft: -1 | 0 | 1;
  /** The same against the control; null where there is none, or no detail to compare. */
  againstControl: -1 | 0 | 1 | null;
  /** Whether any of the models makes something up: without that DPO can't be better at it. */
  isTold: boolean;
  /** What the pairs can teach: where chosen answers are wrong themselves, more than imitation. */
  chosenAnswers: "clean" | "flawed";
  /** A sentence or two on each, in this order. */
  sentences: string[];
};

/**
 * Says in words what an evaluation comes to: DPO against Stage A, against the control, and which of
 * two cases the pairs look like. Where the chosen answers are right, imitating them does as well or
 * better; where they are merely better than the rejected ones, imitation gets no better than they
 * are and a contrast can.
 *
 * **Source**: the sign of a paired 95 % interval; chosen answers count as flawed from 5 % of them on
 * that hold an unsupported detail.
 *
 * @param evaluation What `evaluation.json` holds.
 * @returns Signs, and the sentences that say the same.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { buildModels } from "../train/build_models.ts";
 * import { evaluateModels } from "./evaluate_models.ts";
 * import { evaluationRecord } from "./evaluation_record.ts";
 * import { verdictOf } from "./verdict.ts";
 * const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
 * using sft = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const options = { beta: 0.1, maxNewTokens: 8 };
 * const found = await evaluateModels({ sft, dpo: sft }, triplets.slice(0, 2), options);
 * const hashes = { sft_model: sft.source.hash, dpo_model: sft.source.hash, test_file: "" };
 * const overlap = { same_file: false, prompts: 0 };
 * const { againstSft, againstControl } = verdictOf(
 *   evaluationRecord(found, { settings: {}, hashes, overlap }),
 * );
 * assert.equal(againstSft, 0); // an untrained policy writes what Stage A does
 * assert.equal(againstControl, null); // and there was no control
 * ```
 */
export function verdictOf(evaluation: EvaluationRecord): Verdict {
  const { generation: { sft, dpo, control }, differences, prompts } = evaluation;
  const againstSft = signOfRate(differences.dpo_sft);
  const againstControl = differences.dpo_control?.intervals.hallucination_rate
    ? signOfRate(differences.dpo_control)
    : null;
  const { notes_with_hallucination: share } = evaluation.chosen_answers;
  const chosenAnswers = (share ?? 0) >= UNCLEAN ? "flawed" : "clean";
  const isTold = [sft, dpo, control].some((scores) => (scores?.hallucination_rate ?? 0) > 0);
  const wordsOnControl = againstControl === null
    ? ""
    : ` ${isTold ? WORDS_ON_CONTROL[againstControl] : NOT_TOLD}`;
  const sentences = [
    `Against Stage A, ${compareRates(dpo, sft, differences.dpo_sft)}`,
    ...wordsOnDerailing(evaluation),
    control && differences.dpo_control
      ? `Against the control, ${
        compareRates(dpo, control, differences.dpo_control)
      }${wordsOnControl}`
      : "There is no control to compare with: whether imitating the chosen answers alone would " +
        "do as well is not known. Train with --control sft.",
    wordsOnChosen(evaluation, chosenAnswers, isTold ? againstControl : null),
  ];
  if (signOf({ interval: differences.dpo_sft.intervals.recall }) < 0) {
    sentences.push(
      `${againstSft < 0 ? "Part of it may be" : "It is also"} saying less: DPO's notes state ${
        percent(dpo.recall)
      } of the chosen ` +
        `answers' details, Stage A's ${percent(sft.recall)}.`,
    );
  }
  if (prompts < FEWEST_PROMPTS) {
    sentences.push(
      `Don't rely on this: ${prompts} prompts are too few, below ${FEWEST_PROMPTS} the intervals ` +
        "are too narrow.",
    );
  }
  return { againstSft, againstControl, isTold, chosenAnswers, sentences };
}

const NOT_TOLD =
  "Evaluate with --temperature 1, which shows mistakes that greedy writing hides, or " +
  "on harder prompts.";

type Measured = EvaluationRecord["differences"]["dpo_sft"];

const WORDS_ON_CONTROL = {
  "-1": "The contrast taught what imitation does not.",
  "0": "DPO added nothing to imitation.",
  "1": "DPO added nothing to imitation; it did harm beside it.",
};

const signOfRate = ({ intervals }: Measured) => signOf({ interval: intervals.hallucination_rate });

function compareRates(
  { hallucination_rate: rate, notes_with_hallucination: notes }: Measured,
  { hallucination_rate: other, notes_with_hallucination: otherNotes }: Measured,
  difference: Measured,
): string {
  const interval = difference.intervals.hallucination_rate;
  if (rate === null || other === null || interval === null) {
    return "nothing can be said: there are no clinical details in what one of them writes.";
  }
  const sign = signOfRate(difference);
  const outcome = sign < 0 ? "fewer" : sign > 0 ? "more" : "neither fewer nor more";
  const ends = interval.map((end) => (100 * end).toFixed(1)).join(" to ");
  const hint = sign === 0 ? ", which includes zero" : "";
  if (rate === 0 && other === 0) {
    return "nothing is better or worse: neither makes anything up here.";
  }
  return `DPO writes ${outcome} unsupported details: ${percent(rate)} of all, against ` +
    `${percent(other)} (paired difference ${ends} points${hint}); notes with at least one: ` +
    `${percent(notes)}, against ${percent(otherNotes)}.`;
}

/** More gibberish than before, beyond chance: Chosen Preference doesn't see them. */
function wordsOnDerailing({ generation: { sft, dpo }, differences, preference }: EvaluationRecord) {
  if (signOf({ interval: differences.dpo_sft.intervals.gibberish_rate }) <= 0) return [];
  return [
    `What DPO writes derails: ${
      percent(dpo.gibberish_rate)
    } of its texts are gibberish to Stage A ` +
    `and ${percent(dpo.stop_rate)} end by themselves, against ${percent(sft.gibberish_rate)} and ` +
    `${percent(sft.stop_rate)} of Stage A's own. ` +
    (preference.chosen_preference > 0.5
      ? `Chosen Preference, ${percent(preference.chosen_preference)}, does not show it. `
      : "") +
    "Hold the chosen answers up (--loss_type sigmoid,sft with a larger weight), lower --learning_rate or raise --beta.",
  ];
}

function wordsOnChosen(
  { chosen_answers }: EvaluationRecord,
  chosenAnswers: Verdict["chosenAnswers"],
  againstControl: Verdict["againstControl"],
): string {
  const { notes_with_hallucination: share, intervals } = chosen_answers;
  const ends = intervals.notes_with_hallucination?.map(percent).join(" to ");
  const found = `Of the chosen answers ${percent(share)} (${ends}) hold an unsupported detail ` +
    "themselves";
  if (chosenAnswers === "clean") {
    return `${found}: they are good enough to imitate. ` +
      (againstControl === -1
        ? "That DPO nevertheless did better is worth a second look with another seed."
        : "That is the case in which training on them alone does as well or better.");
  }
  return `${found}: they are better than the rejected ones, not right. Imitation can't get better ` +
    "than that, a contrast can" + (
      againstControl === 0 || againstControl === 1
        ? "; here it did not. An SFT term (--loss_type sigmoid,sft), more pairs or another rate may help."
        : "."
    );
}
