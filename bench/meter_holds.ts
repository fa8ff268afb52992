/**
 * Whether the hallucination meter agrees with people and with what is known. Prints docs/meter.md's
 * tables from a folder of MTS-Dialog (Ben Abacha et al., EACL 2023; CC BY 4.0): 200 system summaries
 * that people scored, and notes of doctors beside their own and beside a stranger's dialogue.
 *
 *     deno run -q --allow-read bench/meter_holds.ts [FOLDER]
 */
import { join } from "node:path";
import { corruptDetail } from "../lib/data/hard_negatives.ts";
import { readTable, type TableRow } from "../lib/data/read_table.ts";
import { CLAIM_KINDS } from "../lib/meter/claims.ts";
import {
  type HallucinationResult,
  measureHallucination,
} from "../lib/meter/measure_hallucination.ts";
import { sumHallucination } from "../lib/meter/sum_hallucination.ts";
import { createRandom, type Random, shuffle } from "../lib/random.ts";
import { areaUnderCurve, bestThreshold, rankCorrelation } from "./agreement.ts";

const RESAMPLES = 2000;
const [folder = "../shared/data/mts-dialog"] = Deno.args;
/** Two relatives, and how a dialogue may call each. */
const RELATIVES: [string, string, RegExp[]][] = [
  ["mother", "father", [/\b(?:mother|mom|mommy|mama)\b/i, /\b(?:father|dad|daddy)\b/i]],
  ["brother", "sister", [/\bbrothers?\b/i, /\bsisters?\b/i]],
];
const table = (name: string) => readTable(join(folder, name));

/** A summary with what people and the meter say of it. */
type Scored = {
  dialogue: string;
  hallucinated: number;
  imprecise: number;
  omitted: number;
  meter: HallucinationResult;
  crude: number;
};

const scored = (await table("human_scores_dev.csv")).map((row): Scored => {
  const [text, source, reference] = ["automatic_summary", "dialogue", "reference_summary"]
    .map((column) => String(row[column]));
  return {
    dialogue: source,
    hallucinated: Number(row.HallucinationRate),
    imprecise: 1 - Number(row.FactualPrecision),
    omitted: Number(row.OmissionRate),
    meter: measureHallucination(text, source, { reference }),
    crude: crudeCount(text, source),
  };
});

showPeople(scored);
const seen = new Set(scored.map(({ dialogue }) => dialogue.trim()));
const unseen = (await table("validation.csv")).filter((row) =>
  !seen.has(String(row.dialogue).trim())
);
showDoctors("validation.csv, dialogues without people's scores", unseen);
showDoctors("train.csv, on which the word lists were made", await table("train.csv"));

/** The measure to beat: different words of four letters or more that the source lacks. */
function crudeCount(text: string, source: string): number {
  const words = (of: string) => new Set(of.toLowerCase().match(/\p{L}{4,}/gu) ?? []);
  return words(text).difference(words(source)).size;
}

function showPeople(rows: Scored[]): void {
  const dialogues = [...Map.groupBy(rows, ({ dialogue }) => dialogue).values()];
  const wrong = rows.filter(({ hallucinated }) => hallucinated > 0).length;
  const imperfect = rows.filter((row) => row.imprecise > 0).length;
  console.log(
    `${rows.length} summaries of ${dialogues.length} dialogues, ${wrong} with a hallucination ` +
      `by people's judgement, ${imperfect} with a wrong fact (FactualPrecision below 1). 95 % intervals: ${RESAMPLES} bootstrap samples of dialogues.\n`,
  );
  type Score = (row: Scored) => number;
  const auc = (score: Score, wrong: Score = (row) => row.hallucinated) => (sample: Scored[]) => {
    const [bad, good] = [true, false]
      .map((is) => sample.filter((row) => wrong(row) > 0 === is).map(score));
    return areaUnderCurve(bad, good);
  };
  const correlation = (score: Score, people: Score) => (sample: Scored[]) =>
    rankCorrelation(sample.map(score), sample.map(people));
  const imprecise = (row: Scored) => row.imprecise;
  const count = ({ meter }: Scored) => meter.unsupported.length;
  const rate = ({ meter }: Scored) => meter.rate;
  const omission = ({ meter }: Scored) => 1 - (meter.recall ?? 0);
  const statistics: [string, (sample: Scored[]) => number][] = [
    ["AUC, any hallucination: unsupported details", auc(count)],
    ["AUC, any hallucination: rate", auc(rate)],
    ["AUC, any hallucination: crude count of words", auc(({ crude }) => crude)],
    ["AUC, any hallucination: people's own 1 - FactualPrecision", auc(imprecise)],
    ["AUC, any wrong fact: unsupported details", auc(count, imprecise)],
    ["AUC, any wrong fact: rate", auc(rate, imprecise)],
    ["AUC, any wrong fact: crude count of words", auc(({ crude }) => crude, imprecise)],
    [
      "AUC, meter's count less crude count",
      (sample) => auc(count)(sample) - auc(({ crude }) => crude)(sample),
    ],
    [
      "Spearman with HallucinationRate: unsupported details",
      correlation(count, (row) => row.hallucinated),
    ],
    ["Spearman with HallucinationRate: rate", correlation(rate, (row) => row.hallucinated)],
    [
      "Spearman with HallucinationRate: crude count",
      correlation(({ crude }) => crude, (row) => row.hallucinated),
    ],
    ["Spearman with OmissionRate: 1 - recall", correlation(omission, (row) => row.omitted)],
  ];
  for (const [name, statistic] of statistics) {
    const [low, high] = interval(dialogues, statistic);
    console.log(`| ${name} | ${fixed(statistic(rows))} | ${fixed(low)} to ${fixed(high)} |`);
  }
  showThreshold(dialogues, count);
}

/** The threshold is chosen on nine tenths of the dialogues and tried on the rest. */
function showThreshold(dialogues: Scored[][], score: (row: Scored) => number): void {
  const order = shuffle(dialogues, createRandom(1));
  let [hits, wrong, alarms, right] = [0, 0, 0, 0];
  const chosen: number[] = [];
  for (let fold = 0; fold < 10; fold++) {
    const train = order.filter((_, i) => i % 10 !== fold).flat();
    const test = order.filter((_, i) => i % 10 === fold).flat();
    const threshold = bestThreshold(
      train.map((row) => ({ score: score(row), positive: row.hallucinated > 0 })),
    );
    chosen.push(threshold);
    for (const row of test) {
      const found = score(row) >= threshold;
      if (row.hallucinated > 0) wrong++, hits += Number(found);
      else right++, alarms += Number(found);
    }
  }
  console.log(
    `\nCross-validated by dialogue (10 folds), thresholds ${chosen.join(" ")}: finds ${hits} of ` +
      `${wrong} summaries with a hallucination, and blames ${alarms} of ${right} without.\n`,
  );
}

function showDoctors(name: string, rows: TableRow[]): void {
  const pairs = rows.map((row) => ({ note: String(row.section_text), own: String(row.dialogue) }));
  const strangers = shift(pairs.map(({ own }) => own));
  const own = pairs.map((pair) => measureHallucination(pair.note, pair.own));
  const other = pairs.map((pair, i) => measureHallucination(pair.note, strangers[i]));
  const auc = (sample: number[]) =>
    areaUnderCurve(sample.map((i) => other[i].rate), sample.map((i) => own[i].rate));
  const all = pairs.map((_, i) => i);
  const [low, high] = interval(all.map((i) => [i]), auc, 200);
  const [ownSums, otherSums] = [sumHallucination(own), sumHallucination(other)];
  console.log(
    `${name}: ${rows.length} doctors' notes. Rate ${fixed(ownSums.rate)} against their own ` +
      `dialogue, ${fixed(otherSums.rate)} against the next one's; AUC ${fixed(auc(all))} ` +
      `(${fixed(low)} to ${fixed(high)}).`,
  );
  const random = createRandom(42);
  const found = new Map<string, [number, number]>();
  pairs.forEach(({ note, own: source }, i) => {
    const wrong = corruptDetail(note, { random, source });
    if (wrong === null) return;
    const counts = found.get(wrong.kind) ?? [0, 0];
    const now = measureHallucination(wrong.text, source).unsupported.length;
    found.set(wrong.kind, [counts[0] + Number(now > own[i].unsupported.length), counts[1] + 1]);
  });
  console.log(
    "One detail made wrong, how many were found: " +
      [...found].map(([kind, [hits, count]]) => `${kind} ${hits} of ${count}`).join(", "),
  );
  const relatives = pairs.map(({ note, own }) => swapRelatives(note, own));
  const turned = relatives.flatMap((text, i) => text === null ? [] : [{ text, i }]);
  const seen = turned.filter(({ text, i }) =>
    measureHallucination(text, pairs[i].own).unsupported.length > own[i].unsupported.length
  );
  console.log(
    `Mother and father, or brother and sister, swapped: ${seen.length} of ${turned.length}`,
  );
  for (const kind of CLAIM_KINDS) {
    const share = ({ details, unsupported }: { details: number; unsupported: number }) =>
      fixed(unsupported / details);
    const [mine, others] = [ownSums.byKind[kind], otherSums.byKind[kind]];
    console.log(`| ${kind} | ${mine.details} | ${share(mine)} | ${share(others)} |`);
  }
  console.log();
}

/** The note with two relatives in each other's place; `null` where the dialogue hasn't both. */
function swapRelatives(note: string, dialogue: string): string | null {
  for (const [one, other, said] of RELATIVES) {
    if (!said.every((name) => name.test(dialogue))) continue;
    const text = note.replace(
      new RegExp(`\\b(${one}|${other})(?=s?\\b)`, "gi"),
      (name) => name.toLowerCase() === one ? other : one,
    );
    if (text !== note) return text;
  }
  return null;
}

/** Each the next one's. */
function shift<T>(values: T[]): T[] {
  return [...values.slice(1), values[0]];
}

/** The middle 95 % of a statistic over samples of groups. */
function interval<T>(
  groups: T[][],
  statistic: (sample: T[]) => number,
  resamples = RESAMPLES,
): [number, number] {
  const random: Random = createRandom(42);
  const draws = Array.from(
    { length: resamples },
    () => statistic(groups.flatMap(() => groups[random.below(groups.length)])),
  )
    .filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  return [draws[Math.floor(0.025 * draws.length)], draws[Math.floor(0.975 * draws.length)]];
}

function fixed(value: number): string {
  return value.toFixed(3);
}
