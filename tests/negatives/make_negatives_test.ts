import { assert, assertEquals } from "../../lib/std.ts";
import { applyChange } from "../../lib/data/details/change.ts";
import { createRandom } from "../../lib/random.ts";
import { findAdditions, standAloneSentences } from "../../lib/negatives/find_additions.ts";
import { makeNegatives } from "../../lib/negatives/make_negatives.ts";
import { truthCheck } from "../../lib/negatives/truth_check.ts";

const SOURCE = "Doctor: Any fever or chills?\nPatient: No. My left knee hurts, for two weeks, " +
  "and my high blood pressure. I take lisinopril.";

const make = (text: string, options = {}) =>
  makeNegatives(text, SOURCE, { random: createRandom(1), negatives: 99, ...options });

Deno.test("truthCheck() tells a wrong detail from one that may be true and from one without a base", () => {
  const verdict = (text: string, before: string, after: string) => {
    const start = text.indexOf(before), end = start + before.length;
    const changed = text.slice(0, start) + after + text.slice(end);
    return truthCheck(text, SOURCE)(changed, [{ start, end, text: after }]);
  };
  assertEquals(verdict("Left knee pain.", "Left", "Right"), "wrong");
  assertEquals(verdict("No fever or chills.", "No fever", "Fever"), "wrong");
  assertEquals(verdict("Pain for 2 weeks.", "2 weeks", "14 days"), "unsure");
  assertEquals(verdict("Takes lisinopril.", "lisinopril", "Zestril"), "unsure", "its brand");
  assertEquals(verdict("Has diabetes.", "diabetes", "hypertension"), "baseless");
  assertEquals(verdict("Left hip rash.", "hip", "knee"), "baseless");
  assertEquals(verdict("No rash.", "No ", ""), "baseless");
  assertEquals(verdict("Burning toe. The knee is burning.", "burning", "itching"), "baseless");
  assertEquals(verdict("Knee pain.", "", "He smokes cigars daily. "), "wrong");
  assertEquals(verdict("Knee pain.", "", "His knee hurts. "), "unsure");
});

Deno.test("makeNegatives() drops what is too long, too different, baseless, or may be true", () => {
  const text = "Left knee pain for 2 weeks with hypertension, takes Zestril, had a stroke.";
  const { negatives, dropped } = make(text);
  for (const { text: wrong } of negatives) {
    assertEquals(
      /14 days|stroke|Zestril/.test(wrong.replace("had a stroke.", "")),
      /Zestril/.test(wrong),
    );
  }
  assert(dropped.baseless > 0, "the stroke");
  assert(negatives.some(({ kind }) => kind === "side"));
  assertEquals(
    make(text, { maxLengthDifference: 0 }).negatives.every(({ text: wrong }) =>
      wrong.length === text.length
    ),
    true,
  );
  assertEquals(make(text, { maxLengthDifference: 0 }).dropped.length > 0, true);
  const strict = make(text, { minSimilarity: 1 });
  assertEquals([strict.negatives.length, strict.dropped.similarity > 0], [0, true]);
  assertEquals(make(text, { negatives: 2 }).negatives.length, 2);
});

Deno.test("standAloneSentences() takes what any note could say, findAdditions() what fits the sex", () => {
  const sentences = standAloneSentences([
    "She takes metoprolol daily.  This was helpful. No fever.\nHe had a stroke in 2001.",
    "Seen by Dr. Smith today. The patient lives with two cats. Review: He has pain.",
  ]);
  assertEquals(sentences, [
    "She takes metoprolol daily.",
    "He had a stroke in 2001.",
    "The patient lives with two cats.",
  ]);
  const added = (text: string, room = 99) =>
    findAdditions(text, { sentences, room, random: createRandom(5) })
      .flatMap(({ changes }) => changes.map(({ after }) => after)).toSorted();
  assertEquals(added("A man of 50 with gout. He limps."), [
    "He had a stroke in 2001.",
    "The patient lives with two cats.",
  ]);
  assertEquals(added("A woman with gout. She limps.", 30), ["She takes metoprolol daily."]);
  assertEquals(added("Gout without a full stop"), []);
  const one = { sentences: sentences.slice(2), room: 99 };
  const places = Array.from({ length: 20 }, (_, seed) => {
    const [{ changes: [change] }] = findAdditions("Gout.  Has pain.", {
      ...{ ...one, random: createRandom(seed) },
    });
    return applyChange("Gout.  Has pain.", change);
  });
  assertEquals(
    new Set(places),
    new Set([
      "Gout.  The patient lives with two cats.  Has pain.",
      "Gout.  Has pain.  The patient lives with two cats.",
    ]),
  );
});
