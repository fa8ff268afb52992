import {
  compareGeneration,
  type JudgedText,
  judgeGeneration,
  signOf,
} from "../../lib/evaluate/judge_generation.ts";
import { gibberishBound } from "../../lib/evaluate/perplexity.ts";
import { createRandom } from "../../lib/random.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { thrownBy } from "../thrown_by.ts";

/** Texts of ten details, of which each is wrong with a probability. */
function written(seed: number, wrong: number, others: Partial<JudgedText> = {}): JudgedText[] {
  const random = createRandom(seed);
  return Array.from({ length: 80 }, () => ({
    details: 10,
    unsupported: Array.from({ length: 10 }, () => random.next()).filter((p) => p < wrong).length,
    ...{ recall: 0.9, tokens: 30, stopped: true, repetition: 0, isGibberish: false },
    ...others,
  }));
}

Deno.test("judgeGeneration() counts details over all notes, and notes for themselves", () => {
  const [text] = written(1, 0);
  const scores = judgeGeneration([
    { ...text, details: 1, unsupported: 1, recall: null, stopped: false, tokens: 50 },
    { ...text, details: 9, unsupported: 0, recall: 0.5, isGibberish: true, repetition: 0.4 },
  ]);
  const values = Object.entries(scores).map(([name, { value }]) => [name, value]);
  assertEquals(Object.fromEntries(values), {
    hallucinationRate: 0.1, // not the mean of 1 and 0
    notesWithHallucination: 0.5,
    recall: 0.5,
    meanTokens: 40,
    stopRate: 0.5,
    repetition: 0.2,
    gibberishRate: 0.5,
  });
});

Deno.test("compareGeneration() tells a real difference from chance", () => {
  const sft = written(1, 0.1);
  const better = compareGeneration(written(2, 0.03), sft),
    same = compareGeneration(written(3, 0.1), sft);
  assertEquals([signOf(better.hallucinationRate), signOf(same.hallucinationRate)], [-1, 0]);
  const longer = compareGeneration(written(1, 0.1, { tokens: 31 }), sft);
  assertEquals([longer.meanTokens.value, signOf(longer.meanTokens)], [1, 1]);
  assertEquals(signOf(compareGeneration(sft, sft).hallucinationRate), 0);
});

Deno.test("judgeGeneration() says null where no text has a detail, and never that none is never", () => {
  const empty = judgeGeneration(written(1, 0, { details: 0, recall: null }));
  assertEquals(empty.hallucinationRate, { value: null, interval: null });
  assertEquals(empty.recall.value, null);
  const { interval } = judgeGeneration(written(1, 0)).notesWithHallucination;
  assert(interval![0] === 0 && interval![1] > 0.04 && interval![1] < 0.05, String(interval));
});

Deno.test("compareGeneration() refuses texts of different prompts", () => {
  const error = thrownBy(() => compareGeneration(written(1, 0), written(1, 0).slice(1)));
  assertEquals(error.message, "80 texts, but 79 to compare them with");
});

Deno.test("gibberishBound() is the higher one of what Stage A writes and should write", () => {
  const flat = (top: number) => Array.from({ length: 101 }, (_, i) => i === 99 ? top : 0.1);
  assertEquals(gibberishBound([0.1, 0.2], [0.1, 0.4]).toFixed(3), "0.397");
  assertEquals(gibberishBound(flat(9), []).toFixed(3), "0.100"); // one odd text doesn't move it
});
