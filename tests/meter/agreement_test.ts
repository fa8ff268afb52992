/** What docs/meter.md says of the meter, loosely: real notes and people's scores, where they are there. */
import { assert } from "../../lib/std.ts";
import { areaUnderCurve, rankCorrelation } from "../../bench/agreement.ts";
import { readTable } from "../../lib/data/read_table.ts";
import { measureHallucination } from "../../lib/meter/measure_hallucination.ts";
import { testUnless } from "../test_unless.ts";

const FOLDER = "../shared/data/mts-dialog";
const scored = await readTable(`${FOLDER}/human_scores_dev.csv`).catch(() => []);
const notes = await readTable(`${FOLDER}/validation.csv`).catch(() => []);
const missing = (scored.length === 0 || notes.length === 0) && `${FOLDER} is not there`;

testUnless(missing, "measureHallucination() agrees with people's scores better than chance", () => {
  const rows = scored.map((row) => ({
    hallucinated: Number(row.HallucinationRate),
    omitted: Number(row.OmissionRate),
    ...measureHallucination(String(row.automatic_summary), String(row.dialogue), {
      reference: String(row.reference_summary),
    }),
  }));
  const counts = (wrong: boolean) =>
    rows.filter(({ hallucinated }) => hallucinated > 0 === wrong)
      .map(({ unsupported }) => unsupported.length);
  const area = areaUnderCurve(counts(true), counts(false));
  assert(area > 0.7, `${area}`);
  const correlation = rankCorrelation(
    rows.map(({ recall }) => 1 - recall!),
    rows.map(({ omitted }) => omitted),
  );
  assert(correlation > 0.65, `${correlation}`);
});

testUnless(missing, "measureHallucination() tells a note's own dialogue from another one", () => {
  const pairs = notes.map(({ section_text, dialogue }) => [section_text, dialogue].map(String));
  const own = pairs.map(([note, dialogue]) => measureHallucination(note, dialogue).rate);
  const other = pairs.map(([note], i) =>
    measureHallucination(note, pairs[(i + 1) % pairs.length][1]).rate
  );
  const area = areaUnderCurve(other, own);
  assert(area > 0.8, `${area}`);
});
