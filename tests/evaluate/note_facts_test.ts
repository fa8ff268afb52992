import fc from "fast-check";
import { assertEquals } from "../../lib/std.ts";
import { createRandom } from "../../lib/random.ts";
import {
  type ClinicalCase,
  corruptCase,
  drawCase,
  writeSummary,
} from "../../lib/data/synthetic_notes.ts";
import { noteFacts } from "../../lib/evaluate/note_facts.ts";

const facts: ClinicalCase = {
  age: 54,
  sex: "woman",
  symptom: "cough",
  duration: 3,
  unit: "weeks",
  side: "left",
  site: "knee",
  negated: "chest pain",
  allergy: "latex",
  drug: "metformin",
  dose: 500,
};
const truth = writeSummary(facts);

Deno.test("noteFacts() finds nothing wrong in the true summary of any case", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
    const drawn = drawCase(createRandom(seed));
    const found = noteFacts(writeSummary(drawn), drawn);
    assertEquals(found, { wrong: [], recalled: 11, total: 11 });
  }));
});

Deno.test("noteFacts() names the one detail that corruptCase() changed", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
    const random = createRandom(seed);
    const drawn = drawCase(random);
    const { facts: corrupted, kind } = corruptCase(drawn, random);
    const found = noteFacts(writeSummary(corrupted), drawn);
    const expected = { kind, expected: String(drawn[kind]), found: String(corrupted[kind]) };
    assertEquals(found, { wrong: [expected], recalled: 10, total: 11 });
  }));
});

Deno.test("noteFacts() recalls no fact that is left out, and calls it not wrong", () => {
  const found = noteFacts(" 54 year old woman with cough for 3 weeks, left knee pain.", facts);
  assertEquals(found.wrong, []);
  assertEquals(found.recalled, 7);
});

Deno.test("noteFacts() counts a second, contradicting statement as wrong", () => {
  const found = noteFacts(`${truth.slice(0, -1)}, on ibuprofen 500 mg daily.`, facts);
  assertEquals(found.wrong, [{ kind: "drug", expected: "metformin", found: "ibuprofen" }]);
  assertEquals(found.recalled, 11);
});

Deno.test("noteFacts() counts statements that no fact supports, one a clause", () => {
  const found = noteFacts(`${truth} Follow up in May, smoker.`, facts);
  assertEquals(found.wrong.map((detail) => [detail.kind, detail.found]), [
    ["unsupported", "Follow up in May"],
    ["unsupported", "smoker"],
  ]);
});

Deno.test("noteFacts() counts a symptom affirmed though the note denies it", () => {
  const found = noteFacts(truth.replace("no chest pain", "chest pain"), facts);
  assertEquals(found.wrong, [{ kind: "unsupported", expected: "", found: "chest pain" }]);
  assertEquals(found.recalled, 10);
});

Deno.test("noteFacts() recalls nothing from gibberish and from nothing", () => {
  assertEquals(noteFacts("", facts).recalled, 0);
  assertEquals(noteFacts("", facts).wrong, []);
  const found = noteFacts("year mg mg daily woman", facts);
  assertEquals(found.recalled, 0);
  assertEquals(found.wrong.length, 1);
});
