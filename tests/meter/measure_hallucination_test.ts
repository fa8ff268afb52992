import { assert, assertEquals } from "../../lib/std.ts";
import { measureHallucination } from "../../lib/meter/measure_hallucination.ts";

/** What is unsupported, as "kind: text". */
const unsupported = (text: string, source: string) =>
  measureHallucination(text, source).unsupported.map(({ kind, text }) => `${kind}: ${text}`);

/** A text that its source bears out, one that it doesn't, and what of it. */
type Case = [source: string, borneOut: string, not: string, what: string[]];

const cases: Record<string, Case[]> = {
  "numbers however they are said": [
    ["I'm twenty six.", "26-year-old.", "62-year-old.", ["age: 62-year-old"]],
    ["Room one oh one.", "Room 101.", "Room 110.", ["number: 110"]],
    [
      "The pressure was one twenty over eighty.",
      "Pressure 120/80: it was.",
      "It was 130/80.",
      ["number: 130"],
    ],
    ["Ninety eight point six degrees.", "98.6 degrees.", "99.6 degrees.", ["number: 99.6 degrees"]],
    ["Three hundred and five cats.", "305 cats.", "350 cats.", ["number: 350"]],
    ["Two and a half packs.", "2-1/2 packs.", "2 packs.", ["number: 2 packs"]],
    ["Four to six cups.", "4-6 cups.", "4-8 cups.", ["number: 8"]],
  ],
  "units, and converts where that is exact": [
    ["Takes 500 mg.", "Takes 0.5 grams.", "Takes 500 g.", ["dose: 500 g"]],
    ["Takes ten M G.", "Takes 10 mg.", "Takes 10 ml.", ["dose: 10 ml"]],
    ["For two weeks.", "For 14 days.", "For 2 months.", ["duration: 2 months"]],
    ["A 5 cm mass.", "50 mm mass.", "5 mm mass.", ["number: 5 mm"]],
    ["Cough for a week.", "Cough for 7 days.", "Cough for 8 days.", ["duration: 8 days"]],
    ["Aged 40 and on 80 mg.", "40 y/o on 80 mg.", "80 y/o on 40 mg.", [
      "age: 80 y/o",
      "dose: 40 mg",
    ]],
  ],
  "how often": [
    ["Two times a day.", "b.i.d.", "t.i.d.", ["dose: t.i.d."]],
    ["Every eight hours.", "Three times daily.", "Twice daily.", ["dose: Twice daily"]],
  ],
  "dates": [
    ["On January tenth two thousand nine.", "01/10/09.", "01/11/09.", ["date: 01/11/09"]],
    ["In August of two thousand eight.", "August 2008.", "August 2009.", ["date: August 2009"]],
    ["September of O three.", "9/03.", "9/04.", ["date: 9/04"]],
    ["Since nineteen ninety five.", "Since 1995.", "Since 1996.", ["date: 1996"]],
  ],
  "the sex": [
    ["He coughs.", "A coughing man.", "A coughing woman.", ["sex: woman"]],
    ["Doctor: Yes, sir?\nPatient: She coughs.", "He: coughs.", "She coughs.", ["sex: She"]],
  ],
  "sides, each of its own part": [
    ["Left knee pain.", "Pain: left knee.", "Pain: right knee.", ["side: right"]],
    [
      "Left knee and right hip hurt.",
      "Right hip hurts.",
      "Right knee hurts.",
      ["side: Right"],
    ],
    ["Both knees hurt.", "Bilateral knee pain.", "Bilateral hip pain.", ["word: hip"]],
  ],
  "drugs by any of their names": [
    ["On Tylenol.", "On acetaminophen.", "On ibuprofen.", ["drug: ibuprofen"]],
    ["Warfarin was stopped.", "Coumadin was stopped.", "Plavix was stopped.", ["drug: Plavix"]],
  ],
  "diagnoses and symptoms in clinical words and plain ones": [
    ["I have high blood pressure.", "HTN.", "DM.", ["diagnosis: DM"]],
    ["I had a heart attack.", "History of MI.", "History of CVA.", ["diagnosis: CVA"]],
    ["I get short of breath.", "C/o dyspnea.", "C/o dysphagia.", ["word: dysphagia"]],
    ["I was throwing up.", "Vomiting.", "Coughing.", ["word: Coughing"]],
    ["My mom smokes.", "Mother smokes.", "Father smokes.", ["word: Father"]],
    ["He smoked.", "Smoker.", "Drinker.", ["word: Drinker"]],
    ["C O P D, yes.", "COPD.", "CHF.", ["diagnosis: CHF"]],
    ["Hysterectomy.", "Surgery.", "Appendectomy.", ["word: Appendectomy"]],
    ["Surgery.", "Surgery.", "Hysterectomy.", ["word: Hysterectomy"]],
  ],
  "what is denied, and up to where": [
    ["She denies chest pain.", "No chest pain.", "Chest pain.", ["negation: Chest pain"]],
    ["She has a cough.", "Cough.", "Denies cough.", ["negation: cough"]],
    ["No fever, chills, or cough.", "Denies chills.", "Chills.", ["negation: Chills"]],
    ["No fever but cough.", "No fever. Cough.", "No cough. Fever.", [
      "negation: cough",
      "negation: Fever",
    ]],
    ["Allergies: none.", "No allergies.", "Allergies.", ["negation: Allergies"]],
    ["Negative for asthma.", "No asthma.", "Has asthma.", ["negation: asthma"]],
    ["She is nontender.", "Not tender.", "Tender.", ["negation: Tender"]],
    [
      "Doctor: Any fever or chills?\nPatient: No.\nDoctor: A cough?\nPatient: Yes, a dry one.",
      "Dry cough, no fever, no chills.",
      "Denies cough. Has fever.",
      ["negation: cough", "negation: fever"],
    ],
    [
      "Doctor: Do you smoke?\nPatient: I do not. But I drink beer.",
      "Does not smoke. Drinks beer.",
      "Smokes. Denies beer.",
      ["negation: Smokes", "negation: beer"],
    ],
    ["No cough was noted.", "No cough.", "Cough.", ["negation: Cough"]],
    ["Asthma, denies.", "No asthma.", "Asthma.", ["negation: Asthma"]],
    ["A non-smoker.", "Does not smoke.", "Smokes.", ["negation: Smokes"]],
    [
      "She denies trouble with walking, vomiting, or fever.",
      "Walking. No vomiting.",
      "Vomiting. Fever.",
      ["negation: Vomiting", "negation: Fever"],
    ],
  ],
  "what a question takes for granted, and what its answer reaches": [
    [
      "Doctor: How long have you had fever?\nPatient: A week.",
      "Fever.",
      "No fever.",
      ["negation: fever"],
    ],
    [
      "Doctor: I see you have asthma, do you smoke?\nPatient: No.",
      "Asthma. Does not smoke.",
      "Smokes. No asthma.",
      ["negation: Smokes", "negation: asthma"],
    ],
    [
      "Doctor: Any complications with your pregnancy?\nPatient: No.",
      "Pregnancy, no complications.",
      "Complications.",
      ["negation: Complications"],
    ],
    [
      "Doctor: Any allergies?\nPatient: I don't know of any.",
      "No allergies.",
      "Drug allergies.",
      ["word: Drug allergies", "negation: Drug allergies"],
    ],
    ["Patient: I have asthma.\nDoctor: Oh no!", "Asthma.", "No asthma.", ["negation: asthma"]],
    [
      "Doctor: Any difficulty in hearing?\nPatient: No.",
      "No trouble hearing.",
      "Trouble hearing.",
      ["negation: Trouble hearing"],
    ],
  ],
  "of which relative something is said": [
    [
      "My mom has asthma, my dad had gout.",
      "Mother has asthma. Father had gout.",
      "Father has asthma. Mother had gout.",
      ["diagnosis: asthma", "diagnosis: gout"],
    ],
    [
      "Doctor: Any stroke in the family?\nPatient: My brother. My sister has migraines.",
      "Brother had a stroke.",
      "Sister had a stroke.",
      ["diagnosis: stroke"],
    ],
    [
      "My father was well. He turned eighty. My mother is seventy.",
      "Father 80, mother 70.",
      "Father 70, mother 80.",
      ["number: 70", "number: 80"],
    ],
    ["My mom and dad have gout, my dad asthma.", "Mother has gout.", "Mother has asthma.", [
      "diagnosis: asthma",
    ]],
  ],
  "which drug a dose is of": [
    ["Lasix 40 mg and lisinopril 10 mg.", "Lasix 40 mg.", "Lisinopril 40 mg.", ["dose: 40 mg"]],
    ["40 mg of Lasix, 10 mg of lisinopril.", "Lasix 40 mg.", "Lasix 10 mg.", ["dose: 10 mg"]],
  ],
};

for (const [what, list] of Object.entries(cases)) {
  Deno.test(`measureHallucination() understands ${what}`, () => {
    for (const [source, borneOut, not, wanted] of list) {
      assertEquals([source, borneOut, unsupported(borneOut, source)], [source, borneOut, []]);
      assertEquals([source, not, unsupported(not, source)], [source, not, wanted]);
    }
  });
}

Deno.test("measureHallucination() says neither yes nor no to what the source leaves open", () => {
  const open = "Doctor: Any fever?\nPatient: Let me think about my week.";
  assertEquals(unsupported("Fever.", open), []);
  assertEquals(unsupported("No fever.", open), []);
  assertEquals(unsupported("Call me if you have fever.", "No fever. Call me."), []);
  assertEquals(
    unsupported("He coughs.", "Doctor: Do you cough?\nPatient: Yes."),
    [],
    "no sex said",
  );
});

Deno.test("measureHallucination() gives the place, the rate, the kinds, and counts a detail once", () => {
  const text = "Aspirin for gout. Aspirin for gout!";
  const result = measureHallucination(text, "On aspirin.");
  assertEquals(result.unsupported, [{ text: "gout", kind: "diagnosis", start: 12, end: 16 }]);
  assertEquals([result.details, result.rate, result.recall], [2, 0.5, null]);
  assertEquals(result.byKind.diagnosis, { details: 1, unsupported: 1 });
  assertEquals(result.byKind.drug, { details: 1, unsupported: 0 });
  const sums = Object.values(result.byKind).reduce((sum, { details }) => sum + details, 0);
  assertEquals(sums, result.details);
});

Deno.test("measureHallucination() takes the recall of the reference's details, all of one kind of word", () => {
  const recall = (text: string, reference: string) =>
    measureHallucination(text, "Any.", { reference }).recall;
  assertEquals(recall("Left knee pain.", "Pain in the left knee, no fever."), 3 / 4);
  assertEquals(recall("Noncontributory.", "Noncontributory."), 1);
  assertEquals(recall("", "Noncontributory."), 0);
  assertEquals(recall("Pain.", "..."), null);
});

Deno.test("measureHallucination() has nothing to say of an empty text", () => {
  for (const text of ["", "   \n", "...", "The patient reports that he is."]) {
    const { details, rate, unsupported } = measureHallucination(text, "He coughs, he is.");
    assertEquals([rate, unsupported], [0, []]);
    assert(details <= 1);
  }
});
