import { assert, assertEquals } from "../../lib/std.ts";
import { createRandom } from "../../lib/random.ts";
import { applyChange, DETAIL_KINDS, type DetailKind } from "../../lib/data/details/change.ts";
import { corruptDetail, type CorruptedDetail, drawChanges } from "../../lib/data/hard_negatives.ts";
import { readTable } from "../../lib/data/read_table.ts";
import { testUnless } from "../test_unless.ts";

const REAL = "../shared/data/mts-dialog/train.csv";
const realRows = await readTable(REAL).catch(() => []);
const noRealRows = realRows.length === 0 && `${REAL} is not there`;

const MONTHS = "January February March April June July August September October November December";

/** Every text that a change of this kind makes of another, sorted. */
function wrongTexts(kind: DetailKind, text: string, source?: string): string[] {
  const drawn = [...drawChanges(text, { random: createRandom(3), source })];
  const made = drawn.filter((one) => one.kind === kind)
    .map(({ change }) => applyChange(text, change));
  return made.length === 0 ? ["(none)"] : [...new Set(made)].sort();
}

Deno.test("drawChanges() turns sides, in every mention of the same part", () => {
  assertEquals(wrongTexts("side", "Left knee pain. The left knee is red."), [
    "Right knee pain. The right knee is red.",
  ]);
  assertEquals(wrongTexts("side", "Right-sided weakness."), ["Left-sided weakness."]);
  assertEquals(wrongTexts("side", "She left early, all right."), ["(none)"]);
  assertEquals(wrongTexts("side", "Left knee and right hip pain."), ["(none)"], "both may be true");
  assertEquals(wrongTexts("side", "Left knee pain.", "Is it the right knee?"), ["(none)"]);
  assertEquals(wrongTexts("side", "Left knee pain.", "Left, right? My left knee."), [
    "Right knee pain.",
  ]);
});

Deno.test("drawChanges() turns what is denied and what is affirmed, and stays grammatical", () => {
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
  for (const [text, wrong] of wanted) {
    assertEquals([text, wrongTexts("negation", text)], [text, [wrong]]);
  }
});

Deno.test("drawChanges() leaves sentences alone that would not read true when turned", () => {
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
  for (const text of texts) assertEquals([text, wrongTexts("negation", text)], [text, ["(none)"]]);
});

Deno.test("drawChanges() changes ages, numbers and readings and keeps what they belong to", () => {
  for (const text of wrongTexts("age", "A 54-year-old patient.")) {
    assert(/^A (?!8\d)[1-9]\d-year-old patient\.$/.test(text), text);
  }
  for (const text of wrongTexts("age", "An 8-year-old patient.")) {
    assert(/^An (?:8|11)-year-old patient\.$/.test(text), text);
  }
  assertEquals(wrongTexts("age", "He is 30 y/o.").length, 8);
  assertEquals(wrongTexts("number", "She has three cats."), [
    "She has five cats.",
    "She has four cats.",
    "She has six cats.",
    "She has two cats.",
  ]);
  assertEquals(wrongTexts("number", "He is 5 feet tall."), [
    "He is 4 feet tall.",
    "He is 6 feet tall.",
  ]);
  assertEquals(wrongTexts("reading", "Potassium of 3.5."), [
    "Potassium of 1.5.",
    "Potassium of 2.3.",
    "Potassium of 3.0.",
    "Potassium of 4.0.",
    "Potassium of 4.7.",
    "Potassium of 5.5.",
  ]);
  assertEquals(wrongTexts("reading", "BP 130/80.", "One hundred, and 110 over 80"), [
    "BP 100/80.",
    "BP 150/80.",
    "BP 160/80.",
  ]);
});

Deno.test("drawChanges() leaves alone what only looks like a number of something", () => {
  const texts = [
    "1. Asthma. 2. Gout.",
    "Type 2 diabetes.",
    "Seen on 08/27/03.",
    "Two to three weeks ago, 5-10 of them.",
    "Between 3 and 5 of them.",
    "Pain on a 0 to 10 scale.",
    "S1 and T12.",
    "He has 1 dog and no 2nd one.",
    "At 8 a.m. sharp.",
    "Two of them.",
  ];
  const kinds = ["number", "age", "date", "duration", "dose", "reading"] as const;
  for (const text of texts) {
    const found = kinds.filter((kind) => wrongTexts(kind, text)[0] !== "(none)");
    assertEquals([text, ...found], [text]);
  }
});

Deno.test("drawChanges() changes durations by number or by unit", () => {
  assertEquals(
    wrongTexts("duration", "Cough for two weeks.", "I cough. Three weeks. Or five months."),
    [
      "Cough for four weeks.",
      "Cough for two days.",
      "Cough for two months.",
    ],
  );
  const stated = wrongTexts(
    "duration",
    "Cough for 2 weeks.",
    "Two weeks, no, two days or 2 months",
  );
  assert(stated.every((text) => !/2 (?:days|months)/.test(text)), stated.join());
  assert(
    !wrongTexts("duration", "She is 5 months pregnant.").join().includes("years"),
    "no such unit",
  );
});

Deno.test("drawChanges() changes doses, frequencies and units", () => {
  assertEquals(wrongTexts("dose", "Takes 20 mg daily."), [
    "Takes 10 mg daily.",
    "Takes 2 mg daily.",
    "Takes 200 mg daily.",
    "Takes 40 mg daily.",
  ]);
  assertEquals(wrongTexts("unit", "Takes 20 mg."), ["Takes 20 g.", "Takes 20 mcg."]);
  assertEquals(wrongTexts("frequency", "Takes it twice daily.", "twice, not once"), [
    "Takes it four times daily.",
    "Takes it three times daily.",
  ]);
  assertEquals(wrongTexts("frequency", "Needed every 4 hours.", "each 2 to 6, or 5 days"), [
    "Needed every 3 hours.",
    "Needed every 4 days.",
    "Needed every 7 hours.",
  ]);
  for (const text of ["Takes it two to three times a day.", "Activities of daily living."]) {
    assertEquals(wrongTexts("frequency", text), ["(none)"]);
  }
});

Deno.test("drawChanges() changes dates, conditions, places of the body, severity, course, relatives", () => {
  const wanted: [DetailKind, string, string, string[]][] = [
    ["date", "Seen on Monday.", "Tuesday, Wednesday, Thursday, Friday", [
      "Seen on Saturday.",
      "Seen on Sunday.",
    ]],
    ["date", "Surgery in 1998.", "1997, 1996, 1995", ["Surgery in 1993."]],
    ["date", "Born July 8.", `the 5th, 6, 11, 13, 18 of ${MONTHS}, May`, [
      "Born July 10.",
      "Born July 3.",
    ]],
    ["date", "In May 2005.", `2000, 2002, 2003, 2004; ${MONTHS.replace("June ", "")}`, [
      "In June 2005.",
    ]],
    ["diagnosis", "History of gout.", "lipids, anemia, diabetes", [
      "History of hyperlipidemia.",
      "History of hypertension.",
      "History of hypothyroidism.",
      "History of osteoporosis.",
    ]],
    ["symptom", "Reports nausea.", "vomiting, diarrhea, heartburn", [
      "Reports bloating.",
      "Reports constipation.",
    ]],
    ["procedure", "Had an appendectomy.", "", ["(none)"]], // none of its group takes "an"
    ["procedure", "Had a colonoscopy.", "", [
      ...["Had a bronchoscopy.", "Had a cystoscopy.", "Had a sigmoidoscopy."],
    ]],
    ["site", "Left arm pain. The arm is red.", "", ["Left leg pain. The leg is red."]],
    ["site", "Arm pain.", "My leg.", ["(none)"]],
    ["severity", "Mild, then severe pain.", "", [
      ...["Mild, then moderate pain.", "Moderate, then severe pain."],
    ]],
    ["severity", "Pain is 7/10.", "from 3 to five", ["Pain is 4/10.", "Pain is 9/10."]],
    ["course", "The cough is worse.", "", ["The cough is better."]],
    ["relative", "Mother had gout.", "", ["Father had gout."]],
  ];
  for (const [kind, text, source, wrong] of wanted) {
    assertEquals([text, ...wrongTexts(kind, text, source)], [text, ...wrong]);
  }
});

Deno.test("drawChanges() leaves names alone that are part of something, or denied", () => {
  const texts: [DetailKind, string][] = [
    ["diagnosis", "Type 2 diabetes."],
    ["diagnosis", "No asthma."],
    ["diagnosis", "Asthma attacks."],
    ["diagnosis", "Pulmonary hypertension."],
    ["symptom", "Denies nausea, vomiting."],
    ["symptom", "Fever blisters."],
    ["site", "He is 5 feet tall."],
    ["site", "On the other hand."],
    ["site", "EARS: clear."],
    ["site", "Right-handed."],
    ["severity", "Mild to moderate pain."],
    ["severity", "Seen on 7/10/98."],
    ["course", "Chronic obstructive pulmonary disease."],
    ["course", "No acute distress."],
    ["relative", "Mother died; she was old."],
    ["relative", "Mother had breast cancer."],
    ["relative", "Her mother-in-law."],
    ["date", "He may come."],
    ["date", "They march on."],
  ];
  for (const [kind, text] of texts) {
    assertEquals([text, ...wrongTexts(kind, text)], [text, "(none)"]);
  }
});

Deno.test("drawChanges() puts another drug of the same use in every mention", () => {
  const text = "Metformin was stopped; the metformin upset her.";
  const made = wrongTexts("drug", text, "I stopped metformin and took glipizide, then Januvia.");
  assertEquals(made.length, 4);
  for (const wrong of made) {
    const [, first, second] = /^(\w+) was stopped; the (\w+) upset her\.$/.exec(wrong)!;
    assertEquals(first.toLowerCase(), second);
    assert(!["metformin", "glipizide"].includes(second) && first !== second, wrong);
  }
});

Deno.test("drawChanges() changes a sex together with its pronouns, only where that is certain", () => {
  assertEquals(wrongTexts("sex", "Pale man with gout. He hurt his toe; it pains him. It is his."), [
    "Pale woman with gout. She hurt her toe; it pains her. It is hers.",
  ]);
  assertEquals(wrongTexts("sex", "Pale lady. We saw her in her room. Her gout hurts her."), [
    "Pale gentleman. We saw him in his room. His gout hurts him.",
  ]);
  assertEquals(wrongTexts("sex", "She coughs."), ["(none)"], "nothing says the sex but a pronoun");
  assertEquals(wrongTexts("sex", "A man and his wife."), ["(none)"]);
  assertEquals(wrongTexts("sex", "A pregnant woman."), ["(none)"]);
  assertEquals(wrongTexts("sex", "A coughing man.", "Good morning, miss."), ["(none)"]);
});

Deno.test("drawChanges() draws first what the source states, and each kind before a second", () => {
  const text = "A 61-year-old with cough for 3 weeks in the left lung, and a dry eye.";
  const random = createRandom(4), source = "I'm sixty-one and I cough. My eye.";
  const kinds = [...drawChanges(text, { random, source })].map(({ kind }) => kind);
  const unstated = kinds.findIndex((kind) => kind !== "age" && kind !== "site");
  assertEquals(new Set(kinds.slice(0, 2)), new Set(["age", "site"]));
  assertEquals(new Set(kinds.slice(unstated)), new Set(["duration", "side"]));
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
  assert(new Set(changed.map(({ kind }) => kind)).size >= DETAIL_KINDS.length - 3);
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
