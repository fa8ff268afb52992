import fc from "fast-check";
import { assert, assertEquals } from "../../lib/std.ts";
import { loadTriplets } from "../../lib/data/load_triplets.ts";
import { saveTriplets } from "../../lib/data/save_triplets.ts";
import { splitTriplets } from "../../lib/data/split_triplets.ts";
import { userMessage } from "../thrown_by.ts";

const triplet = (prompt: string) => ({ prompt, chosen: "a", rejected: "b" });

Deno.test("splitTriplets() loses nothing, repeats no prompt and leaves no side empty", () => {
  const prompts = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 2, maxLength: 40 });
  const fraction = fc.double({ min: 0.01, max: 0.99, noNaN: true });
  fc.assert(fc.property(prompts, fraction, fc.nat(), (numbers, fraction, seed) => {
    fc.pre(new Set(numbers).size > 1);
    const triplets = numbers.map((n) => triplet(`p${n}`));
    const { train, validation } = splitTriplets(triplets, { fraction, seed });
    assertEquals(train.length + validation.length, triplets.length);
    assert(train.length > 0 && validation.length > 0);
    const trained = new Set(train.map(({ prompt }) => prompt));
    assert(validation.every(({ prompt }) => !trained.has(prompt)));
    const order = (side: typeof triplets) => side.map((t) => triplets.indexOf(t));
    assertEquals(
      order(train as typeof triplets),
      order(train as typeof triplets).toSorted((a, b) => a - b),
    );
    assertEquals(splitTriplets(triplets, { fraction, seed }), { train, validation });
  }));
});

Deno.test("splitTriplets() holds back the share asked for, chosen by the seed", () => {
  const triplets = Array.from({ length: 100 }, (_, i) => triplet(`p${i}`));
  const held = (seed: number) => splitTriplets(triplets, { fraction: 0.25, seed }).validation;
  assertEquals(held(1).length, 25);
  assert(JSON.stringify(held(1)) !== JSON.stringify(held(2)));
});

Deno.test("splitTriplets() refuses a single prompt", () => {
  assertEquals(
    userMessage(() => splitTriplets([triplet("a"), triplet("a")])),
    "Cannot split 2 triplets into training and validation: wanted at least 2 different prompts, " +
      "found 1; add rows, or name a validation file (--val_file)",
  );
});

Deno.test("saveTriplets() writes what loadTriplets() reads, extra fields beside", async () => {
  const path = `${await Deno.makeTempDir()}/deep/triplets.jsonl`;
  const rows = Array.from({ length: 3000 }, (_, i) => ({
    ...triplet(`note ${i} \u2028 \u{1f642} "quoted"\n${"x".repeat(500)}`),
    kind: "dose",
  }));
  await saveTriplets(path, rows);
  const wanted = rows.map(({ kind: _, ...row }) => row);
  assertEquals(await loadTriplets(path), wanted);
  assertEquals(JSON.parse((await Deno.readTextFile(path)).split("\n")[0]), rows[0]);
});
