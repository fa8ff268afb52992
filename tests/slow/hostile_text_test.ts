/** A megabyte of what was made to take forever: linear time is seconds, quadratic time is hours. */
import { assert } from "../../lib/std.ts";
import { measureHallucination } from "../../lib/meter/measure_hallucination.ts";

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
  "mother, father and ",
  "has your mother gout? ",
  "aspirin and 5 mg of ",
  "😀",
  "e\u0301",
  "\ud800",
  "Aspirin 5 mg, fever and gout for 3 days since 1/2/03. ",
];

for (const piece of pieces) {
  Deno.test(`measureHallucination() reads a megabyte of ${JSON.stringify(piece)}`, () => {
    const text = piece.repeat(Math.ceil(1e6 / piece.length));
    const begun = performance.now();
    const { details, rate } = measureHallucination(text, text);
    assert(details >= 0 && rate >= 0);
    const seconds = (performance.now() - begun) / 1000;
    assert(seconds < 60, `${seconds} s`);
  });
}

Deno.test("measureHallucination() reads a list of 50,000 different drugs", () => {
  const name = (i: number) => i.toString(36).replace(/\d/g, (digit) => "ghijklmnop"[Number(digit)]);
  const text = Array.from({ length: 50_000 }, (_, i) => `x${name(i)}april, `).join("");
  const begun = performance.now();
  assert(measureHallucination(text, text).byKind.drug.unsupported === 0);
  const seconds = (performance.now() - begun) / 1000;
  assert(seconds < 60, `${seconds} s`);
});
