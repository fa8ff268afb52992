import { assert, assertEquals } from "../../lib/std.ts";
import { createRandom } from "../../lib/random.ts";
import { corruptDetail, type CorruptedDetail } from "../../lib/data/hard_negatives.ts";
import { readTable } from "../../lib/data/read_table.ts";
import { testUnless } from "../test_unless.ts";

const REAL = "../shared/data/mts-dialog/train.csv";
const realRows = await readTable(REAL).catch(() => []);
const noRealRows = realRows.length === 0 && `${REAL} is not there`;

/** Every text that some seed makes of another, sorted. */
function wrongTexts(text: string, source?: string): string[] {
  const made = Array.from(
    { length: 200 },
    (_, seed) =>
      corruptDetail(text, { random: createRandom(seed * 7919), source })?.text ?? "(none)",
  );
  return [...new Set(made)].sort();
}

const kindOf = (text: string, source?: string) =>
  corruptDetail(text, { random: createRandom(3), source })?.kind;

Deno.test("corruptDetail() turns sides, in every mention of the same part", () => {
  assertEquals(wrongTexts("Left knee pain. The left knee is red."), [
    "Right knee pain. The right knee is red.",
  ]);
  assertEquals(wrongTexts("Right-sided weakness."), ["Left-sided weakness."]);
  assertEquals(wrongTexts("She left early, all right."), ["(none)"]);
  assertEquals(wrongTexts("Left knee and right hip pain."), ["(none)"], "both may be true");
  assertEquals(wrongTexts("Left knee pain.", "Is it the right knee?"), ["(none)"]);
  assertEquals(wrongTexts("Left knee pain.", "Left, right? My left knee."), ["Right knee pain."]);
});

Deno.test("corruptDetail() turns what is denied and what is affirmed, and stays grammatical", () => {
  const wanted: [string, string][] = [
    ["She denies chest pain.", "She reports chest pain."],
    ["She denies any chest pain.", "She reports chest pain."],
    ["Denied tobacco use.", "Reported tobacco use."],
    ["He complains of nausea.", "He denies nausea."],
    ["No known drug allergies.", "Known drug allergies."],
    ["Fine. No fever or chills.", "Fine. Fever or chills."],
    ["Never operated on.", "Operated on."],
    ["He has no pain.", "He has pain."],
    ["She has not had any recent surgery.", "She has had recent surgery."],
    ["He does not smoke.", "He smokes."],
    ["She does not have any pain.", "She has pain."],
    ["Does not carry weights.", "Carries weights."],
    ["These do not occur at night.", "These occur at night."],
    ["He walks without any difficulty.", "He walks with difficulty."],
    ["She no longer smokes.", "She still smokes."],
    ["Family history is positive for stroke.", "Family history is negative for stroke."],
    ["She has a history of asthma.", "She has no history of asthma."],
    ["He is a nonsmoker.", "He is a smoker."],
    ["The culture was negative.", "The culture was positive."],
    ["She has never smoked.", "She has smoked."],
  ];
  for (const [text, wrong] of wanted) assertEquals([text, wrongTexts(text)], [text, [wrong]]);
});

Deno.test("corruptDetail() leaves sentences alone that would not read true when turned", () => {
  const texts = [
    "No one is sick.",
    "No other complaints.",
    "She has no idea.",
    "There is no mass.",
    "He denies fever, but admits that he never checked.",
    "She denies pain of any kind.",
    "He not only smokes.",
    "He did not sleep.",
    "He does not currently drink.",
    "Does not smoke, drink, or vape.",
    "She does not use tobacco or drink alcohol.",
    "Denied.",
    "Asthma.",
    "None.",
  ];
  for (const text of texts) assertEquals([text, wrongTexts(text)], [text, ["(none)"]]);
});

Deno.test("corruptDetail() changes numbers and keeps what they belong to", () => {
  assertEquals(kindOf("A 54-year-old patient."), "number");
  for (const text of wrongTexts("A 54-year-old patient.")) {
    assert(/^A (?!8\d)[1-9]\d-year-old patient\.$/.test(text), text);
  }
  for (const text of wrongTexts("An 8-year-old patient.")) {
    assert(/^An (?:8|11)-year-old patient\.$/.test(text), text);
  }
  assertEquals(wrongTexts("She has three cats."), [
    "She has five cats.",
    "She has four cats.",
    "She has six cats.",
    "She has two cats.",
  ]);
  assertEquals(wrongTexts("Potassium of 3.5."), [
    "Potassium of 1.5.",
    "Potassium of 2.3.",
    "Potassium of 3.0.",
    "Potassium of 4.0.",
    "Potassium of 4.7.",
    "Potassium of 5.5.",
  ]);
});

Deno.test("corruptDetail() leaves alone what only looks like a number of something", () => {
  const texts = [
    "1. Asthma. 2. Gout.",
    "Type 2 diabetes.",
    "Seen on 08/27/03.",
    "Born July 8.",
    "Two to three weeks ago, 5-10 of them.",
    "Between 3 and 5 of them.",
    "Pain on a 0 to 10 scale.",
    "S1 and T12.",
    "He has 1 dog and no 2nd one.",
    "At 8 a.m. sharp.",
    "Two of them.",
  ];
  for (const text of texts) assertEquals([text, wrongTexts(text)], [text, ["(none)"]]);
});

Deno.test("corruptDetail() changes durations by number or by unit", () => {
  assertEquals(kindOf("Cough for two weeks."), "duration");
  assertEquals(wrongTexts("Cough for two weeks.", "I cough. Three weeks. Or five months."), [
    "Cough for four weeks.",
    "Cough for two days.",
    "Cough for two months.",
  ]);
  const stated = wrongTexts("Cough for 2 weeks.", "Two weeks, no, two days or 2 months");
  assert(stated.every((text) => !/2 (?:days|months)/.test(text)), stated.join());
  assert(!wrongTexts("She is 5 months pregnant.").join().includes("years"), "no such unit");
});

Deno.test("corruptDetail() changes doses, frequencies and units", () => {
  assertEquals(wrongTexts("Takes 20 mg daily.").sort(), [
    "Takes 10 mg daily.",
    "Takes 2 mg daily.",
    "Takes 20 g daily.",
    "Takes 20 mcg daily.",
    "Takes 200 mg daily.",
    "Takes 40 mg daily.",
  ]);
  assertEquals(wrongTexts("Takes it twice daily.", "twice, not once"), [
    "Takes it four times daily.",
    "Takes it three times daily.",
  ]);
  assertEquals(wrongTexts("Takes it two to three times a day."), ["(none)"]);
});

Deno.test("corruptDetail() puts another drug of the same use in every mention", () => {
  const text = "Metformin was stopped; the metformin upset her.";
  const made = wrongTexts(text, "I stopped metformin and took glipizide, then Januvia.");
  assertEquals(made.length, 4);
  for (const wrong of made) {
    const [, first, second] = /^(\w+) was stopped; the (\w+) upset her\.$/.exec(wrong)!;
    assertEquals(first.toLowerCase(), second);
    assert(!["metformin", "glipizide"].includes(second) && first !== second, wrong);
  }
});

Deno.test("corruptDetail() changes a sex together with its pronouns, only where that is certain", () => {
  assertEquals(wrongTexts("Pale man with gout. He hurt his toe; it pains him. It is his."), [
    "Pale woman with gout. She hurt her toe; it pains her. It is hers.",
  ]);
  assertEquals(wrongTexts("Pale lady. We saw her in her room. Her gout hurts her."), [
    "Pale gentleman. We saw him in his room. His gout hurts him.",
  ]);
  assertEquals(wrongTexts("She coughs."), ["(none)"], "nothing says the sex but a pronoun");
  assertEquals(wrongTexts("A man and his wife."), ["(none)"]);
  assertEquals(wrongTexts("A pregnant woman."), ["(none)"]);
  assertEquals(wrongTexts("A coughing man.", "Good morning, miss."), ["(none)"]);
});

Deno.test("corruptDetail() prefers details that the source states", () => {
  const text = "A 61-year-old with cough for 3 weeks in the left lung.";
  const made = wrongTexts(text, "I'm sixty-one and I cough.");
  assert(
    made.every((wrong) => wrong.endsWith("-year-old with cough for 3 weeks in the left lung.")),
  );
  assert(wrongTexts(text).length > made.length);
});

testUnless(noRealRows, "corruptDetail() makes real notes wrong in one place or in one word", () => {
  const run = () => {
    const random = createRandom(42);
    return realRows.map(({ section_text, dialogue }) =>
      corruptDetail(String(section_text), { random, source: String(dialogue) })
    );
  };
  const made = run();
  assertEquals(run(), made);
  const changed = made.filter((wrong): wrong is CorruptedDetail => wrong !== null);
  assert(changed.length > 700, `${changed.length}`);
  assertEquals(new Set(changed.map(({ kind }) => kind)).size, 8);
  made.forEach((wrong, i) => {
    if (wrong === null) return;
    const text = String(realRows[i].section_text);
    assert(wrong.text !== text && wrong.before !== wrong.after);
    assert(Math.abs(wrong.text.length - text.length) < 60, wrong.text);
    assert(
      !/ {3}|\s[,.;] | a [aeiou]\w* ?history|\bno no\b/i.test(wrong.text.replace(text, "")) ||
        / {3}|\s[,.;] /.test(text),
      wrong.text,
    );
    if (wrong.kind === "drug") {
      assert(!String(realRows[i].dialogue).toLowerCase().includes(wrong.after.toLowerCase()));
    }
  });
});
