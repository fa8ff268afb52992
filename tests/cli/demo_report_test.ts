import { assert, assertEquals } from "../../lib/std.ts";
import { unseenNotes } from "../../lib/data/embedded_data.ts";
import { writeSummary } from "../../lib/data/synthetic_notes.ts";
import {
  DEMO_INTRODUCTION,
  DEMO_REASONS,
  demoExamples,
  demoInWords,
  scoreColumn,
} from "../../scripts/cli/demo_report.ts";
import { demoResult } from "../../scripts/cli/demo_result.ts";

const notes = unseenNotes();
const right = notes.map(({ facts }) => ({ text: writeSummary(facts), tokens: 34, stopped: true }));
/** The truth, but for the age of each `nth` note. */
const wrongEach = (nth: number) => {
  const sampled = right.map((summary, i) =>
    i % nth ? summary : { ...summary, text: summary.text.replace(/\d+/, "7") }
  );
  return { greedy: right, sampled };
};
const [before, after, control] = [wrongEach(2), wrongEach(10), wrongEach(4)];
const columns = [
  scoreColumn("Stage A", notes, before),
  scoreColumn("DPO + SFT", notes, after),
  scoreColumn("SFT alone", notes, control),
];

Deno.test("demoInWords() tells who wrote fewer wrong details, also where imitation did", () => {
  const better = demoInWords(columns).replaceAll("\n", " ");
  assert(
    better.startsWith("Of 200 sampled summaries 100 had a wrong detail at Stage A, 20"),
    better,
  );
  assert(better.includes("Imitation can't get better than what it imitates"), better);
  const worse = demoInWords([columns[0], columns[2], columns[1]]);
  assert(worse.replaceAll("\n", " ").endsWith("taught no more than imitation did."), worse);
});

Deno.test("demoExamples() shows three notes that were sampled differently, with what is wrong", () => {
  const shown = demoExamples(notes, { before, after });
  assert(shown.startsWith("The first three of the 40.0 % of notes"), shown);
  assertEquals(shown.match(/^ {2}Note \d:/gm), ["  Note 1:", "  Note 2:", "  Note 3:"]);
  assert(shown.includes(`-> age: 7, not ${notes[2].facts.age}`), shown);
  assert(shown.includes("-> every detail is true"), shown);
});

Deno.test("the demo's texts fit 80 columns", () => {
  const texts = [DEMO_INTRODUCTION, DEMO_REASONS, demoInWords(columns)];
  const shown = [...texts, demoExamples(notes, { before, after })].join("\n").split("\n");
  assertEquals(shown.filter((line) => line.length > 80), []);
});

Deno.test("demoResult() keeps shares and counts of each model", () => {
  const { models, notes: count } = demoResult(columns);
  assertEquals(count, 200);
  assertEquals(models.map((model) => model.sampledNotesWithWrongDetail), [100, 20, 50]);
  assertEquals(models[0].recall, 1 - 100 / 2200);
});
