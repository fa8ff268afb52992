import { changedDetail } from "../../lib/data/changed_detail.ts";
import { corruptDetail } from "../../lib/data/hard_negatives.ts";
import { createRandom } from "../../lib/random.ts";
import { assertEquals } from "../../lib/std.ts";

const NOTE =
  "The patient is a 54-year-old woman with pain in the left knee for 3 weeks. She denies " +
  "fever. She takes ibuprofen 400 mg twice daily and weighs 140 lbs.";

Deno.test("changedDetail() names the kind that corruptDetail() changed", () => {
  const random = createRandom(3), seen = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const { text, kind, before, after } = corruptDetail(NOTE, { random })!;
    assertEquals([before, after, changedDetail(NOTE, text)], [before, after, kind]);
    assertEquals(changedDetail(text, NOTE), kind); // whichever of them is the better one
    seen.add(kind);
  }
  assertEquals([...seen].sort(), [
    ...["age", "dose", "drug", "duration", "frequency", "negation", "number", "sex", "side"],
    ...["site", "unit"],
  ]);
});

Deno.test("changedDetail() sees what no rule of ours would have written", () => {
  const table: [string, string, string][] = [
    ["Takes 1 mg of warfarin.", "Takes 10 mg of warfarin.", "dose"], // 1 is no detail to change
    ["On lisinopril.", "On penicillin.", "drug"], // not of its group
    ["He has a rash.", "He has a wound.", "other"],
    ["Seen in 2019 for asthma.", "Seen in 1987 for asthma.", "date"],
    ["Takes aspirin 81 mg for 2 weeks now.", "Takes warfarin 81 mg for 9 days now.", "several"],
    ["Pain in the left knee.", "Asthma since childhood, no other complaints.", "rewritten"],
    ["Male.", "Female.", "sex"], // all of it, and still one detail
    ["Seen today.", "Seen today. Denies fever.", "negation"],
    ["Seen today.", "Seen today. Denies fever and chills.", "rewritten"],
    ["naïve 2 Schmerzen", "naïve 2 Schmerz", "other"],
  ];
  for (const [chosen, rejected, kind] of table) {
    assertEquals([chosen, changedDetail(chosen, rejected)], [chosen, kind]);
  }
});

Deno.test("changedDetail() takes long texts that share nothing for rewritten, at once", () => {
  const long = (word: string) => Array.from({ length: 5000 }, (_, i) => `${word}${i}`).join(" ");
  assertEquals(changedDetail(long("a"), long("b")), "rewritten");
});
