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
import type { ScoreColumn } from "../../lib/evaluate/format_scores.ts";
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
  assert(worse.replaceAll("\n", " ").includes("taught no more than imitation did."), worse);
});

Deno.test("demoInWords() says what the greedy summaries show", () => {
  const words = (columns: ScoreColumn[]) => demoInWords(columns).replaceAll("\n", " ");
  assert(words(columns).includes("Greedily none of them is wrong"), words(columns));
  const columnsOfWrong = columns.map((column) => ({ ...column, greedy: column.sampled }));
  assert(words(columnsOfWrong).endsWith("Greedily 100, 20, 50 are wrong."), words(columnsOfWrong));
});

Deno.test("demoExamples() shows three notes of which one summary is wrong, whosever it is", () => {
  const shown = demoExamples(notes, { before, after });
  const title =
    "One of the two sampled summaries is wrong on 80 notes: Stage A's on 80, DPO's on 0.";
  assert(shown.replaceAll("\n", " ").startsWith(title), shown);
  const turned = demoExamples(notes, { before: after, after: before }).replaceAll("\n", " ");
  assert(turned.includes("Stage A's on 0, DPO's on 80."), turned);
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
