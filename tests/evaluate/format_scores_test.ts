import { assert, assertEquals } from "../../lib/std.ts";
import { unseenNotes } from "../../lib/data/embedded_data.ts";
import { writeSummary } from "../../lib/data/synthetic_notes.ts";
import { compareSummaries } from "../../lib/evaluate/compare_summaries.ts";
import { describeWrong, formatScores } from "../../lib/evaluate/format_scores.ts";

const notes = unseenNotes();
const right = notes.map(({ facts }) => ({ text: writeSummary(facts), tokens: 34 }));
const half = right.map((summary, i) => ({
  ...summary,
  text: i % 2 ? summary.text.replace(/left|right/, "upper") : summary.text,
}));

Deno.test("formatScores() lays three models side by side within 80 columns", () => {
  const greedy = compareSummaries(notes, right);
  const column = (name: string, summaries: typeof right) => ({
    name,
    greedy,
    sampled: compareSummaries(notes, summaries),
  });
  const lines = formatScores([
    column("Stage A", half),
    column("DPO + SFT", right),
    column("SFT alone", half),
  ]).split("\n");
  assert(lines.every((line) => line.length <= 80), lines.join("\n"));
  assertEquals(lines.map((line) => line.trim().split(/\s{2,}/)), [
    ["200 unseen notes, 11 facts each", "Stage A", "DPO + SFT", "SFT alone"],
    ["-".repeat(77)],
    ["sampled at temperature 1"],
    ["notes with a wrong detail", "50.0 %", "0.0 %", "50.0 %"],
    ["facts recalled", "95.5 %", "100.0 %", "95.5 %"],
    ["mean length, tokens", "34.0", "34.0", "34.0"],
    ["greedy, the likeliest word"],
    ["notes with a wrong detail", "0.0 %", "0.0 %", "0.0 %"],
    ["facts recalled", "100.0 %", "100.0 %", "100.0 %"],
    ["mean length, tokens", "34.0", "34.0", "34.0"],
  ]);
});

Deno.test("describeWrong() says what the note says instead", () => {
  assertEquals(
    describeWrong([
      { kind: "side", expected: "left", found: "right" },
      { kind: "unsupported", expected: "", found: "smoker" },
    ]),
    'side: right, not left; "smoker" is not in the note',
  );
  assertEquals(describeWrong([]), "every detail is true");
});
