import { judgePreference } from "../../lib/evaluate/judge_preference.ts";
import { terciles } from "../../lib/evaluate/terciles.ts";
import { createRandom } from "../../lib/random.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";

const random = createRandom(5), SIZE = 120;
const draw = (mean: number) => Array.from({ length: SIZE }, () => mean + random.normal());
const reference = { referenceChosen: draw(-20), referenceRejected: draw(-21) };
const tokens = Array.from({ length: SIZE }, (_, i) => 5 + i % 9);
const LOG_PROBS = {
  policyChosen: reference.referenceChosen.map((value) => value + random.normal()),
  policyRejected: reference.referenceRejected.map((value) => value - 1 + random.normal()),
  ...reference,
  chosenTokens: tokens,
  rejectedTokens: tokens,
};
const TRAITS = tokens.map((_, i) =>
  i % 3
    ? { chosen: "Left knee.", rejected: "Right knee." }
    : { chosen: "a", rejected: "b", kind: "x" }
);

Deno.test("judgePreference() splits into groups whose means make up the whole", () => {
  const report = judgePreference(LOG_PROBS, TRAITS, { beta: 0.1 });
  for (const groups of [report.byKind, report.byLength, report.bySimilarity]) {
    const parts = Object.values(groups), pairs = parts.reduce((sum, part) => sum + part.pairs, 0);
    assertEquals(pairs, SIZE);
    for (const key of ["loss", "chosenPreference", "drift/rejected"] as const) {
      const mean = parts.reduce((sum, part) => sum + part[key] * part.pairs, 0) / pairs;
      assertClose(mean, report[key], { absolute: 1e-12 });
    }
  }
  assertEquals(Object.keys(report.byKind).sort(), ["side", "x"]);
});

Deno.test("judgePreference() puts each mean inside its interval, the true shift too", () => {
  const report = judgePreference(LOG_PROBS, TRAITS, { beta: 0.1 });
  const { byKind: _, byLength: __, bySimilarity: ___, intervals, pairs: ____, ...means } = report;
  for (const [name, mean] of Object.entries(means)) {
    const [low, high] = intervals[name]!;
    assert(low <= mean && mean <= high, `${name}: ${mean} in ${low} to ${high}`);
  }
  const [low, high] = intervals["drift/rejected"]!;
  assert(low < -1 && -1 < high && high < 0, `${low} to ${high}`);
  assertClose(high - low, 2 * 1.96 / Math.sqrt(SIZE), { relative: 0.25 }); // the normal's width
});

Deno.test("judgePreference() shows ln 2 and one half for an untrained policy", () => {
  const same = {
    ...LOG_PROBS,
    policyChosen: reference.referenceChosen,
    policyRejected: reference.referenceRejected,
  };
  const { loss, chosenPreference, intervals } = judgePreference(same, TRAITS, { beta: 0.1 });
  assertClose(loss, Math.LN2, { absolute: 1e-15 });
  assertEquals([chosenPreference, intervals.chosenPreference], [0.5, [0.5, 0.5]]);
});

Deno.test("terciles() name thirds by their ends, fewer where numbers are equal", () => {
  const named = terciles([1, 2, 3, 4, 5, 6, 7, 8, 9], "tokens");
  assertEquals([...new Set(named)], ["1 to 3 tokens", "4 to 6 tokens", "7 to 9 tokens"]);
  assertEquals([...new Set(terciles([4, 4, 4], "tokens"))], ["4 tokens"]);
});
