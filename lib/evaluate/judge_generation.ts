import {
  bootstrap,
  type BootstrapOptions,
  type Estimated,
  type Interval,
  shareInterval,
} from "./bootstrap.ts";

/** What was measured of a text that a model wrote for a prompt. */
export type JudgedText = {
  /** Clinical details in it, and those of them that the prompt does not bear out. */
  details: number;
  unsupported: number;
  /** Share of the reference's details that it states; null where the reference has none. */
  recall: number | null;
  tokens: number;
  /** Whether the model ended it itself. */
  stopped: boolean;
  /** Share of word triples that it said before. */
  repetition: number;
  /** Whether Stage A finds it less likely than what it writes itself. */
  isGibberish: boolean;
};

/** What is measured of a model, in the report's order; all but `meanTokens` are shares. */
export const GENERATION_MEASURES = [
  "hallucinationRate",
  "notesWithHallucination",
  "recall",
  "meanTokens",
  "stopRate",
  "repetition",
  "gibberishRate",
] as const;
/** The name of a measure. */
export type GenerationMeasure = typeof GENERATION_MEASURES[number];

/** Each measure with its interval. */
export type GenerationScores = Record<GenerationMeasure, Estimated>;

const COLUMNS = 9;

/**
 * Judges what a model wrote, one text a prompt: unsupported details among all details, notes with at
 * least one, recall, length, and how the texts end, repeat and derail.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { judgeGeneration } from "./judge_generation.ts";
 * const text = { recall: 1, tokens: 9, stopped: true, repetition: 0, isGibberish: false };
 * const scores = judgeGeneration([
 *   { ...text, details: 4, unsupported: 1 },
 *   { ...text, details: 6, unsupported: 0 },
 * ]);
 * assert.equal(scores.hallucinationRate.value, 0.1);
 * assert.equal(scores.notesWithHallucination.value, 0.5);
 * ```
 */
export function judgeGeneration(
  texts: readonly JudgedText[],
  options: BootstrapOptions = {},
): GenerationScores {
  const found = bootstrap(columnsOf(texts), measures, options);
  return named((i) =>
    GENERATION_MEASURES[i] === "meanTokens" ? found[i] : shareInterval(found[i], texts.length)
  );
}

/**
 * How much more of each measure `texts` has than `baseline`, where both were written for the same
 * prompts: an interval without 0 says that the difference is not chance.
 *
 * @throws {RangeError} when there is not one text of each for a prompt.
 */
export function compareGeneration(
  texts: readonly JudgedText[],
  baseline: readonly JudgedText[],
  options: BootstrapOptions = {},
): GenerationScores {
  if (texts.length !== baseline.length) {
    throw new RangeError(`${texts.length} texts, but ${baseline.length} to compare them with`);
  }
  const columns = [...columnsOf(texts), ...columnsOf(baseline)];
  const found = bootstrap(columns, (sums, count) => {
    const before = measures(sums.subarray(COLUMNS), count);
    return measures(sums.subarray(0, COLUMNS), count).map((value, i) => value - before[i]);
  }, options);
  return named((i) => found[i]);
}

/** Whether a difference is more than chance: its sign, or 0 where the interval holds 0. */
export function signOf({ interval }: { interval: Interval | null }): -1 | 0 | 1 {
  if (interval === null) return 0;
  return interval[1] < 0 ? -1 : interval[0] > 0 ? 1 : 0;
}

function columnsOf(texts: readonly JudgedText[]): number[][] {
  const column = (read: (text: JudgedText) => number | boolean) =>
    texts.map((text) => Number(read(text)));
  return [
    column(({ details }) => details),
    column(({ unsupported }) => unsupported),
    column(({ unsupported }) => unsupported > 0),
    column(({ recall }) => recall ?? 0),
    column(({ recall }) => recall !== null),
    column(({ tokens }) => tokens),
    column(({ stopped }) => stopped),
    column(({ repetition }) => repetition),
    column(({ isGibberish }) => isGibberish),
  ];
}

/** {@link GENERATION_MEASURES} from the columns' sums. */
function measures(sums: Float64Array, count: number): number[] {
  const [details, unsupported, notes, recall, recalled, ...rest] = sums;
  return [
    unsupported / details,
    notes / count,
    recall / recalled,
    ...rest.map((sum) => sum / count),
  ];
}

function named(read: (i: number) => Estimated): GenerationScores {
  const entries = GENERATION_MEASURES.map((name, i) => [name, read(i)]);
  return Object.fromEntries(entries) as GenerationScores;
}
