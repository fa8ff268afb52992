/** Texts that were made to take forever, or to break something. */
import fc from "fast-check";
import { assert, assertEquals } from "../../lib/std.ts";
import { measureHallucination } from "../../lib/meter/measure_hallucination.ts";

const repeat = (piece: string, characters: number) =>
  piece.repeat(Math.ceil(characters / piece.length));

/** Pieces that a pattern, a scope or a list could trip over when they are repeated. */
const pieces = [
  "a",
  "A ",
  "a.",
  "1",
  "1,",
  "1/2-",
  "one ",
  "two hundred and ",
  "point five ",
  "no ",
  "no fever, ",
  "any fever? ",
  "Doctor: fever? Patient: no. ",
  "left - of the ",
  "january 1 ",
  "every 8 hours ",
  "( ",
  "\n",
  " ",
  "'",
  "blood ",
  "shortness of ",
  "😀",
  "e\u0301",
  "\ud800",
  "Aspirin 5 mg, fever and gout for 3 days since 1/2/03. ",
];

Deno.test("measureHallucination() takes no more than linear time, whatever the text", () => {
  const time = (size: number) => {
    let slowest = 0;
    for (const piece of pieces) {
      const text = repeat(piece, size);
      const begun = performance.now();
      measureHallucination(text, text, { reference: text });
      slowest = Math.max(slowest, performance.now() - begun);
    }
    return slowest;
  };
  time(1000); // compiles
  const [short, long] = [time(2000), time(32_000)];
  // 16 times the text: 16 times the time, 256 times where it is quadratic.
  assert(long < 80 * Math.max(short, 1), `${short} ms for 2 kB, ${long} ms for 32 kB`);
});

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
