/**
 * Synthetic clinical notes whose facts are known, so that a model's summary can be held against the
 * truth. Nothing in them comes from a patient: every note is drawn from the lists below.
 */
import type { Example } from "../types.ts";
import { type Random, shuffle } from "../random.ts";

/** The eleven facts of one note; `weeks` is spelt in the plural because `duration` is 2 or more. */
export type ClinicalCase = {
  age: number;
  sex: "woman" | "man";
  symptom: string;
  duration: number;
  unit: string;
  side: string;
  site: string;
  negated: string;
  allergy: string;
  drug: string;
  dose: number;
};

/** Names one fact of a {@link ClinicalCase}. */
export type FactKind = keyof ClinicalCase;

/** A preference whose answers differ in the one detail that `kind` names. */
export type NotePair = { prompt: string; chosen: string; rejected: string; kind: FactKind };

const SEXES = ["woman", "man"] as const;
const SYMPTOMS =
  ("cough fever nausea dizziness fatigue vomiting chills wheezing itching heartburn " +
    "insomnia headaches").split(" ");
const UNITS = ["days", "weeks", "months"];
const SIDES = ["left", "right"];
const SITES = "knee shoulder hip ankle wrist elbow ear eye foot thumb".split(" ");
const NEGATED = [
  "chest pain",
  "shortness of breath",
  "palpitations",
  "weight loss",
  "night sweats",
  "fainting",
  "blurred vision",
];
const ALLERGIES = "penicillin latex aspirin codeine peanuts shellfish iodine pollen sulfa eggs"
  .split(" ");
/** Daily doses in mg; each dose belongs to two drugs or more, so that a wrong drug stays plausible. */
const DOSES: Record<string, number[]> = {
  amoxicillin: [250, 500],
  ibuprofen: [200, 400, 600, 800],
  metformin: [500, 1000],
  lisinopril: [5, 10, 20, 40],
  atorvastatin: [10, 20, 40, 80],
  prednisone: [5, 10, 20],
  furosemide: [20, 40, 80],
  sertraline: [25, 50, 100],
  metoprolol: [25, 50, 100, 200],
  gabapentin: [100, 400, 600, 800],
  naproxen: [250, 500, 1000],
  losartan: [25, 50, 100],
};
const DRUGS = Object.keys(DOSES);

/** The kinds of fact, in the order in which a summary states them. */
export const FACT_KINDS: readonly FactKind[] = [
  "age",
  "sex",
  "symptom",
  "duration",
  "unit",
  "side",
  "site",
  "negated",
  "allergy",
  "drug",
  "dose",
];

const pick = <T>(values: readonly T[], random: Random): T => values[random.below(values.length)];

/** Draws the facts of one note. */
export function drawCase(random: Random): ClinicalCase {
  const drug = pick(DRUGS, random);
  return {
    age: 18 + random.below(72),
    sex: pick(SEXES, random),
    symptom: pick(SYMPTOMS, random),
    duration: 2 + random.below(13),
    unit: pick(UNITS, random),
    side: pick(SIDES, random),
    site: pick(SITES, random),
    negated: pick(NEGATED, random),
    allergy: pick(ALLERGIES, random),
    drug,
    dose: pick(DOSES[drug], random),
  };
}

/**
 * Writes the note as a prompt: who it is first, the other sentences in any order, each in one of
 * its phrasings, pronouns agreeing with the sex.
 */
export function writeNote(facts: ClinicalCase, random: Random): string {
  const { age, sex, symptom, duration, unit, side, site, negated, allergy, drug, dose } = facts;
  const [she, her] = sex === "woman" ? ["She", "Her"] : ["He", "His"];
  const article = age === 18 || Math.floor(age / 10) === 8 ? "an" : "a";
  const opening = [
    `Patient is ${article} ${age} year old ${sex}.`,
    `Seen today: ${article} ${age} year old ${sex}.`,
    `This ${age} year old ${sex} came to the clinic.`,
  ];
  const others = [
    [
      `${she} complains of ${symptom} for ${duration} ${unit}.`,
      `${she} has had ${symptom} for ${duration} ${unit}.`,
      `For ${duration} ${unit} ${she.toLowerCase()} has had ${symptom}.`,
    ],
    [
      `${she} also has pain in the ${side} ${site}.`,
      `${her} ${side} ${site} hurts.`,
      `On examination the ${side} ${site} is tender.`,
    ],
    [`${she} denies ${negated}.`, `There is no sign of ${negated}.`, `Negative for ${negated}.`],
    [
      `${she} is allergic to ${allergy}.`,
      `Known allergy: ${allergy}.`,
      `Reacts to ${allergy}.`,
    ],
    [
      `${she} takes ${drug} ${dose} mg daily.`,
      `Medication: ${drug} ${dose} mg daily.`,
      `Started on ${drug} ${dose} mg daily.`,
    ],
  ];
  const sentences = [pick(opening, random), ...shuffle(others, random).map((p) => pick(p, random))];
  return `Clinical Note: ${sentences.join(" ")}\n\nSummary:`;
}

/** Writes the summary that states every fact once, with the space that separates it from its prompt. */
export function writeSummary(facts: ClinicalCase): string {
  const { age, sex, symptom, duration, unit, side, site, negated, allergy, drug, dose } = facts;
  return ` ${age} year old ${sex} with ${symptom} for ${duration} ${unit}, ${side} ${site} pain, ` +
    `no ${negated}, allergy to ${allergy}, on ${drug} ${dose} mg daily.`;
}

/** Values that could stand in place of the fact, the fact itself left out. */
function alternatives(facts: ClinicalCase, kind: FactKind): readonly (string | number)[] {
  const values: Record<FactKind, readonly (string | number)[]> = {
    age: Array.from({ length: 72 }, (_, i) => 18 + i),
    sex: SEXES,
    symptom: SYMPTOMS,
    duration: Array.from({ length: 13 }, (_, i) => 2 + i),
    unit: UNITS,
    side: SIDES,
    site: SITES,
    negated: NEGATED,
    allergy: ALLERGIES,
    drug: DRUGS.filter((drug) => DOSES[drug].includes(facts.dose)),
    dose: DOSES[facts.drug] ?? [],
  };
  return values[kind].filter((value) => value !== facts[kind]);
}

/** Replaces one detail, of a kind not in `except`, by another plausible value. */
export function corruptCase(
  facts: ClinicalCase,
  random: Random,
  options: { except?: FactKind } = {},
): { facts: ClinicalCase; kind: FactKind } {
  const kinds = FACT_KINDS.filter((kind) =>
    kind !== options.except && alternatives(facts, kind).length > 0
  );
  const kind = pick(kinds, random);
  return { facts: { ...facts, [kind]: pick(alternatives(facts, kind), random) }, kind };
}

/** Draws a Stage A example; a share `errorRate` of the summaries carries one wrong detail. */
export function drawExample(random: Random, options: { errorRate: number }): Example {
  const facts = drawCase(random);
  const prompt = writeNote(facts, random);
  const wrong = random.next() < options.errorRate;
  return { prompt, completion: writeSummary(wrong ? corruptCase(facts, random).facts : facts) };
}

/**
 * Draws a pair as people give them: the better answer is not always right (a share
 * `chosenErrorRate` carries a wrong detail), the worse one has one more wrong detail. What both
 * have in common cancels in the DPO margin.
 */
export function drawPair(random: Random, options: { chosenErrorRate: number }): NotePair {
  const facts = drawCase(random);
  const prompt = writeNote(facts, random);
  const flawed = random.next() < options.chosenErrorRate ? corruptCase(facts, random) : null;
  const better = flawed?.facts ?? facts;
  const worse = corruptCase(better, random, { except: flawed?.kind });
  return {
    prompt,
    chosen: writeSummary(better),
    rejected: writeSummary(worse.facts),
    kind: worse.kind,
  };
}
