import { evaluationSchema } from "../../lib/evaluate/evaluation_schema.ts";
import { verdictOf } from "../../lib/evaluate/verdict.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { evaluationTable, TABLE_NOTE } from "../../scripts/cli/evaluation_table.ts";
import { madeUpEvaluation } from "./made_up_evaluation.ts";

const says = (evaluation: ReturnType<typeof madeUpEvaluation>, words: string) => {
  const text = verdictOf(evaluation).sentences.join("\n");
  assert(text.includes(words), `${words} in ${text}`);
};

Deno.test("verdictOf() says plainly that DPO added nothing where the interval holds zero", () => {
  const models = { sft: { wrong: 0.4 }, dpo: { wrong: 0.1 }, control: { wrong: 0.1 } };
  const evaluation = madeUpEvaluation(models);
  const { againstSft, againstControl, chosenAnswers } = verdictOf(evaluation);
  assertEquals([againstSft, againstControl, chosenAnswers], [-1, 0, "clean"]);
  says(evaluation, "which includes zero");
  says(evaluation, "DPO added nothing to imitation.");
  says(evaluation, "That is the case in which training on them alone does as well or better.");
});

Deno.test("verdictOf() says where DPO is worse than imitation", () => {
  const models = { sft: { wrong: 0.4 }, dpo: { wrong: 0.4 }, control: { wrong: 0.02 } };
  const evaluation = madeUpEvaluation(models);
  assertEquals(verdictOf(evaluation).againstControl, 1);
  says(evaluation, "DPO writes neither fewer nor more unsupported details");
  says(evaluation, "DPO added nothing to imitation; it did harm beside it.");
});

Deno.test("verdictOf() tells the case in which the contrast is worth more", () => {
  const models = { sft: { wrong: 0.4 }, dpo: { wrong: 0.05 }, control: { wrong: 0.35 } };
  const evaluation = madeUpEvaluation({ ...models, chosenWrong: 0.25 });
  const { againstControl, chosenAnswers } = verdictOf(evaluation);
  assertEquals([againstControl, chosenAnswers], [-1, "flawed"]);
  says(evaluation, "Of the chosen answers 25.0%");
  says(evaluation, "The contrast taught what imitation does not.");
});

Deno.test("verdictOf() names a missing control, few prompts and saying less", () => {
  const less = { sft: { wrong: 0.9 }, dpo: { wrong: 0, recall: 0.5 }, prompts: 20 };
  assertEquals(verdictOf(madeUpEvaluation(less)).againstControl, null);
  says(madeUpEvaluation(less), "Train with --control sft.");
  says(madeUpEvaluation(less), "20 prompts are too few");
  says(madeUpEvaluation(less), "state 50.0% of the chosen answers' details, Stage A's 90.0%");
  const none = { sft: { wrong: 0, details: 0 }, dpo: { wrong: 0, details: 0 } };
  says(madeUpEvaluation(none), "nothing can be said");
  const beside = madeUpEvaluation({ ...none, control: { wrong: 0 } });
  assertEquals(verdictOf(beside).againstControl, null);
  assert(!verdictOf(beside).sentences.join().includes("DPO added nothing"));
});

Deno.test("verdictOf() says that a preferred model writes gibberish, and what to try", () => {
  const lost = { wrong: 0.9, recall: 0.4, stopped: false, isGibberish: true };
  const evaluation = madeUpEvaluation({ sft: { wrong: 0.4 }, dpo: lost });
  says(evaluation, "100.0% of its texts are gibberish to Stage A and 0.0% end by themselves");
  says(evaluation, "Chosen Preference, 100.0%, does not show it");
  says(evaluation, "It is also saying less");
  const kept = madeUpEvaluation({ sft: { wrong: 0.4 }, dpo: { wrong: 0.1 } });
  assert(!verdictOf(kept).sentences.join().includes("gibberish"));
});

Deno.test("verdictOf() does not blame DPO where nobody makes anything up", () => {
  const none = { wrong: 0 };
  const evaluation = madeUpEvaluation({ sft: none, dpo: none, control: none, chosenWrong: 0.2 });
  says(evaluation, "Against Stage A, nothing is better or worse: neither makes anything up here.");
  says(evaluation, "Evaluate with --temperature 1");
  const text = verdictOf(evaluation).sentences.join("\n");
  assert(!/added nothing|did not/.test(text), text);
});

Deno.test("evaluationRecord() is what its schema reads back, numbers and nulls", () => {
  const models = { sft: { wrong: 0.4 }, dpo: { wrong: 0.1, details: 0, recall: null } };
  for (const control of [undefined, { wrong: 0.2 }]) {
    const record = madeUpEvaluation({ ...models, control });
    assertEquals(evaluationSchema.parse(JSON.parse(JSON.stringify(record))), record);
    assertEquals(record.generation.dpo.hallucination_rate, null);
    assertEquals(record.generation.sft.details, 1200);
  }
});

Deno.test("evaluationTable() keeps within 80 columns and its columns apart", () => {
  const odd = { wrong: 0.5, tokens: 2048.5 };
  const control = { wrong: 0, tokens: 9.5 };
  const worst = [-888.88, -28.84].map((drift) =>
    madeUpEvaluation({ sft: odd, dpo: odd, control, drift })
  );
  const lines = [...worst, madeUpEvaluation({ sft: odd, dpo: odd })].map(evaluationTable).join(
    "\n",
  );
  assertEquals(`${lines}\n${TABLE_NOTE}`.split("\n").filter((line) => line.length > 80), []);
  assert(!/\)[-\d]|\)none/.test(lines), lines);
});
