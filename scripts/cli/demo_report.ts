import type { Generated } from "../../mod.ts";
import type { UnseenNote } from "../../lib/data/embedded_data.ts";
import { compareSummaries } from "../../lib/evaluate/compare_summaries.ts";
import { describeWrong, type ScoreColumn } from "../../lib/evaluate/format_scores.ts";
import { wrap } from "./help_text.ts";

/** What one model wrote about each note. */
export type Written = { greedy: Generated[]; sampled: Generated[] };

const paragraphs = (...texts: string[]) => texts.map((text) => wrap(text, 0)).join("\n\n");

/** What the demo is about. */
export const DEMO_INTRODUCTION = paragraphs(
  "Stage A is a small model that summarises clinical notes. A third of the summaries it learned " +
    "from had a wrong detail, so it writes wrong details too. Now 4,000 pairs of summaries say " +
    "which of two is better: better by one detail, not perfect, for a quarter of the better ones " +
    "is wrong elsewhere. The notes are synthetic, so that the truth about each is known.",
);

/** Why it trains as it does. */
export const DEMO_REASONS = paragraphs(
  "Why DPO with an SFT term: the summaries of a pair differ in one word, and plain DPO can make " +
    "both less likely; the SFT term holds the better one up.",
  "Why a rate of 3e-4, when 5e-6 is the standard: that one is for models of billions of " +
    "parameters. This one has under a million, 500 steps at 5e-6 hardly change it, and it bears " +
    "more because only its small adapter moves.",
  "A Chosen Preference near 100 % proves nothing by itself, as the program warns: what counts is " +
    "what the models write.",
);

/** Compares what a model wrote with the notes' facts. */
export function scoreColumn(name: string, notes: UnseenNote[], written: Written): ScoreColumn {
  return {
    name,
    greedy: compareSummaries(notes, written.greedy),
    sampled: compareSummaries(notes, written.sampled),
  };
}

/** The table's first line in sentences, whatever it shows. */
export function demoInWords([before, after, control]: ScoreColumn[]): string {
  const wrong = ({ sampled }: ScoreColumn) => sampled.notesWithWrongDetail;
  const result = `Of ${before.sampled.notes} sampled summaries ${wrong(before)} had a wrong ` +
    `detail at Stage A, ${wrong(after)} after DPO, ${wrong(control)} after imitating the better ` +
    "summaries alone.";
  const meaning = wrong(after) < wrong(control)
    ? "Imitation can't get better than what it imitates, a quarter of which is wrong. " +
      "A comparison can: what both summaries share cancels, and only the detail that differs teaches."
    : "Here the comparison taught no more than imitation did.";
  const greedyWrong = [before, after, control].map(({ greedy }) => greedy.notesWithWrongDetail);
  const greedy = greedyWrong.every((count) => count === 0)
    ? "Greedily none of them is wrong: two of three summaries that Stage A learned from were right, so " +
      "that the likeliest word is. Its mistakes lie in what sampling draws."
    : `Greedily ${greedyWrong.join(", ")} are wrong.`;
  return paragraphs(`${result} ${meaning}`, greedy);
}

/** Three notes of which one model's summary is true and the other's is not, side by side. */
export function demoExamples(
  notes: UnseenNote[],
  { before, after }: { before: Written; after: Written },
): string {
  const scored = [before, after].map((written) => compareSummaries(notes, written.sampled));
  const [wrongBefore, wrongAfter] = scored.map(({ each }) =>
    each.map(({ wrong }) => wrong.length > 0)
  );
  const parted = notes.map((_, i) => i).filter((i) => wrongBefore[i] !== wrongAfter[i]);
  const lines = parted.slice(0, 3).flatMap((i, n) => [
    hanging(`Note ${n + 1}:`, notes[i].prompt.split("\n")[0]),
    hanging("Stage A:", before.sampled[i].text.trim()),
    hanging("", `-> ${describeWrong(scored[0].each[i].wrong)}`),
    hanging("DPO + SFT:", after.sampled[i].text.trim()),
    hanging("", `-> ${describeWrong(scored[1].each[i].wrong)}`),
    "",
  ]);
  const mended = parted.filter((i) => wrongBefore[i]).length;
  const title =
    `One of the two sampled summaries is wrong on ${parted.length} notes: Stage A's on ` +
    `${mended}, DPO's on ${parted.length - mended}. The first three of them:`;
  return `${wrap(title, 0)}\n\n${lines.join("\n")}`;
}

/** A label, and a text beside it on as many lines as it needs. */
function hanging(label: string, text: string): string {
  return `  ${label.padEnd(11)}${wrap(text, 13).trimStart()}`;
}
