import fc from "fast-check";
import { assert, assertEquals } from "../../lib/std.ts";
import { createRandom } from "../../lib/random.ts";
import {
  type ClinicalCase,
  corruptCase,
  drawCase,
  drawExample,
  drawPair,
  FACT_KINDS,
  writeNote,
  writeSummary,
} from "../../lib/data/synthetic_notes.ts";

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
const seeds = fc.integer({ min: 0, max: 2 ** 31 });

Deno.test("writeSummary() states every fact once, after the space that ends the prompt", () => {
  assertEquals(
    writeSummary(facts),
    " 54 year old woman with cough for 3 weeks, left knee pain, no chest pain, allergy to latex, " +
      "on metformin 500 mg daily.",
  );
});

Deno.test("writeNote() states every fact, in pronouns that agree with the sex", () => {
  fc.assert(fc.property(seeds, (seed) => {
    const random = createRandom(seed);
    const drawn = drawCase(random);
    const note = writeNote(drawn, random);
    for (const kind of FACT_KINDS) assert(note.includes(` ${drawn[kind]}`), `${kind}: ${note}`);
    assert(!/\b(He|His)\b/.test(note) || drawn.sex === "man", note);
    assert(!/\b(She|Her)\b/.test(note) || drawn.sex === "woman", note);
    assert(/^Clinical Note: .*\.\n\nSummary:$/.test(note), note);
    assert(!/\ba (18|8\d)|\ban (?!18|8\d)/.test(note), note);
  }));
});

Deno.test("writeNote() puts the sentences in different orders", () => {
  const notes = Array.from({ length: 40 }, (_, seed) => writeNote(facts, createRandom(seed * 999)));
  const last = new Set(notes.map((note) => /(\w+)[^.]*\.\n\nSummary:$/.exec(note)![0]));
  assert(last.size >= 8, `${last.size} different last sentences`);
});

Deno.test("corruptCase() changes exactly the detail that it names, never the one to keep", () => {
  fc.assert(fc.property(seeds, fc.constantFrom(...FACT_KINDS), (seed, except) => {
    const random = createRandom(seed);
    const drawn = drawCase(random);
    const corrupted = corruptCase(drawn, random, { except });
    const changed = FACT_KINDS.filter((kind) => drawn[kind] !== corrupted.facts[kind]);
    assertEquals(changed, [corrupted.kind]);
    assert(corrupted.kind !== except);
  }));
});

Deno.test("corruptCase() reaches every kind of detail", () => {
  const random = createRandom(7);
  const kinds = Array.from({ length: 500 }, () => corruptCase(drawCase(random), random).kind);
  assertEquals(new Set(kinds).size, FACT_KINDS.length);
});

Deno.test("drawPair() gives answers that differ in the named detail and flaws the stated share", () => {
  const random = createRandom(3);
  const kinds = new Set<string>();
  let flawed = 0;
  for (let i = 0; i < 2000; i++) {
    const start = createRandom(random.state());
    const truth = writeSummary(drawCase(start));
    const { prompt, chosen, rejected, kind } = drawPair(random, { chosenErrorRate: 0.25 });
    assert(prompt.endsWith("Summary:") && chosen !== rejected && truth !== rejected);
    if (chosen !== truth) flawed++;
    kinds.add(kind);
  }
  assert(Math.abs(flawed / 2000 - 0.25) < 0.03, `${flawed} of 2000 chosen answers carry an error`);
  assertEquals(kinds.size, FACT_KINDS.length);
});

Deno.test("drawExample() flaws the stated share and repeats itself from the same seed", () => {
  const draw = (errorRate: number) => {
    const random = createRandom(11);
    return Array.from({ length: 1000 }, () => drawExample(random, { errorRate }));
  };
  assertEquals(draw(0.35), draw(0.35));
  const random = createRandom(11);
  let flawed = 0;
  for (let i = 0; i < 1000; i++) {
    const truth = writeSummary(drawCase(createRandom(random.state())));
    if (drawExample(random, { errorRate: 0.35 }).completion !== truth) flawed++;
  }
  assert(Math.abs(flawed / 1000 - 0.35) < 0.04, `${flawed} of 1000 examples carry an error`);
});
