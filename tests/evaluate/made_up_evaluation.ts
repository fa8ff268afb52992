import { useBackend } from "../../lib/backend/use_backend.ts";
import { evaluationRecord } from "../../lib/evaluate/evaluation_record.ts";
import type { EvaluationRecord } from "../../lib/evaluate/evaluation_schema.ts";
import {
  compareGeneration,
  type JudgedText,
  judgeGeneration,
} from "../../lib/evaluate/judge_generation.ts";
import { judgePreference } from "../../lib/evaluate/judge_preference.ts";
import type { WrittenText } from "../../lib/evaluate/write_texts.ts";
import { createRandom } from "../../lib/random.ts";

await useBackend({ backend: "cpu" });

/** Enough to tell what these tests tell apart. */
const QUICK = { resamples: 200 };

/** How a made-up model writes: shares of notes with a wrong detail, and what else is not ordinary. */
export type MadeUp = { wrong: number } & Partial<JudgedText>;

/** An evaluation of notes with ten details each, of models that err as often as they are told to. */
export function madeUpEvaluation(
  { sft, dpo, control, prompts = 120, chosenWrong = 0, drift = 0.5 }: {
    sft: MadeUp;
    dpo: MadeUp;
    control?: MadeUp;
    prompts?: number;
    /** Share of chosen answers with a wrong detail. */
    chosenWrong?: number;
    /** How much likelier chosen answers became, in nats. */
    drift?: number;
  },
): EvaluationRecord {
  const random = createRandom(3);
  const write = ({ wrong, details = 10, ...rest }: MadeUp): JudgedText[] =>
    Array.from({ length: prompts }, () => ({
      ...{ details, unsupported: Number(random.next() < wrong && details > 0) },
      ...{ recall: 0.9, tokens: 30, stopped: true, repetition: 0, isGibberish: false },
      ...rest,
    }));
  const [a, b, c] = [write(sft), write(dpo), control && write(control)];
  const texts = (judged: JudgedText[]): WrittenText[] =>
    judged.map(({ unsupported, ...text }) => ({
      ...{ ...text, text: "", surprise: 1 },
      unsupported: Array(unsupported).fill({ text: "", kind: "number", start: 0, end: 0 }),
    }));
  const policy = (gain: number) => {
    const reference = Array(prompts).fill(-20), tokens = Array(prompts).fill(10);
    const at = (shift: number) => reference.map((value, i) => value + shift + 0.01 * (i % 5));
    return judgePreference(
      {
        ...{ referenceChosen: reference, referenceRejected: reference },
        ...{ policyChosen: at(drift), policyRejected: at(drift - gain) },
        ...{ chosenTokens: tokens, rejectedTokens: tokens },
      },
      Array(prompts).fill({ chosen: "Left knee.", rejected: "Right knee." }),
      { beta: 0.1 },
    );
  };
  const count = Math.round(chosenWrong * prompts);
  const share = (value: number) => ({ value, interval: [value, value] as [number, number] });
  return evaluationRecord({
    preference: { dpo: policy(4), ...(c && { control: policy(1) }) },
    generation: {
      ...{ sft: judgeGeneration(a, QUICK), dpo: judgeGeneration(b, QUICK) },
      ...(c && { control: judgeGeneration(c, QUICK) }),
    },
    differences: {
      dpoSft: compareGeneration(b, a, QUICK),
      ...(c &&
        { controlSft: compareGeneration(c, a, QUICK), dpoControl: compareGeneration(b, c, QUICK) }),
    },
    texts: { sft: texts(a), dpo: texts(b), ...(c && { control: texts(c) }) },
    tasks: Array(prompts).fill({ prompt: "", reference: "" }),
    chosen: {
      ...{ answers: prompts, details: 10 * prompts, unsupported: count },
      ...{ hallucinationRate: share(chosenWrong / 10), notesWithHallucination: share(chosenWrong) },
    },
    ...{ gibberishAbove: 2, dropped: 0 },
  }, {
    overlap: { same_file: false, prompts: 0 },
    settings: {},
    hashes: { sft_model: "a", dpo_model: "b", test_file: "c" },
  });
}
