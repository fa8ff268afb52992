import { assertEquals } from "../../lib/std.ts";
import { unseenNotes } from "../../lib/data/embedded_data.ts";
import { writeSummary } from "../../lib/data/synthetic_notes.ts";
import { compareSummaries } from "../../lib/evaluate/compare_summaries.ts";

const notes = unseenNotes().slice(0, 4);
const write = (text: string, tokens = 10) => ({ text, tokens });
const truths = notes.map(({ facts }) => writeSummary(facts));

Deno.test("compareSummaries() sums what each summary got right and wrong", () => {
  const turned = {
    ...notes[1].facts,
    side: notes[1].facts.side === "left" ? "right" : "left",
    age: 17,
  };
  const scores = compareSummaries(notes, [
    write(truths[0]),
    write(writeSummary(turned), 12),
    write(truths[2].replace(/, on .*/, "."), 6),
    write(`${truths[3]} Smoker`, 40),
  ]);
  assertEquals(scores.notes, 4);
  assertEquals(scores.notesWithWrongDetail, 2);
  assertEquals(scores.each.map(({ wrong }) => wrong.map(({ kind }) => kind)), [
    [],
    ["age", "side"],
    [],
    ["unsupported"],
  ]);
  assertEquals([scores.recalled, scores.facts], [40, 44]);
  assertEquals(scores.tokens, 68);
});

Deno.test("compareSummaries() refuses a missing summary", () => {
  let message = "";
  try {
    compareSummaries(notes, [write(truths[0])]);
  } catch (error) {
    message = (error as Error).message;
  }
  assertEquals(message, "4 notes, but 1 summaries");
});
