/** Whatever the text: spans of it, counts that add up. tests/slow has the long ones. */
import fc from "fast-check";
import { assert, assertEquals } from "../../lib/std.ts";
import { measureHallucination } from "../../lib/meter/measure_hallucination.ts";

Deno.test("measureHallucination() gives spans of the text, whatever the text", () => {
  const words = fc.constantFrom(
    ..."no left knee 5 mg / - . , ? two weeks Patient : fever he".split(" "),
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(words).map((list) => list.join(" ")),
  );
  fc.assert(
    fc.property(text, text, (text, source) => {
      const { details, unsupported, rate, byKind } = measureHallucination(text, source);
      for (const { text: part, start, end } of unsupported) {
        assert(start < end && part.length > 0);
        assertEquals(text.slice(start, end), part);
      }
      assert(unsupported.length <= details && rate >= 0 && rate <= 1);
      const counts = Object.values(byKind);
      assertEquals(counts.reduce((sum, kind) => sum + kind.unsupported, 0), unsupported.length);
    }),
    { numRuns: 300 },
  );
});

Deno.test("measureHallucination() finds a text's own words in it, whatever the words", () => {
  const words = "cough fever left knee hip 5 mg aspirin two weeks smoker diabetes".split(" ");
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words)), (list) => {
      const text = list.join(" ");
      assertEquals(measureHallucination(text, text).unsupported, []);
    }),
    { numRuns: 300 },
  );
});
