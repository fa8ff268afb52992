import { distance } from "fastest-levenshtein";
import { changedDetail } from "../data/changed_detail.ts";
import { dpoLoss, type PairLogProbs } from "../loss/dpo_loss.ts";
import {
  addPairs,
  createMetricSums,
  type JudgedPairs,
  meanMetrics,
  pairMetrics,
} from "../loss/preference_metrics.ts";
import type { PreferenceMetrics } from "../types.ts";
import { bootstrap, type BootstrapOptions, type Interval, shareInterval } from "./bootstrap.ts";
import { terciles } from "./terciles.ts";

/** What a pair is grouped by. */
export type PairTraits = {
  chosen: string;
  rejected: string;
  /** What was changed between them; read from the texts where it isn't given. */
  kind?: string;
};

/** Means over some pairs, with 95 % intervals of each but `pairs`; null where there is none. */
export type JudgedPreference = PreferenceMetrics & {
  intervals: Record<string, Interval | null>;
};

/** All pairs, and the same by group. */
export type PreferenceReport = JudgedPreference & {
  /** By what was changed. */
  byKind: Record<string, JudgedPreference>;
  /** By the chosen answer's length. */
  byLength: Record<string, JudgedPreference>;
  /** By how alike the answers are. */
  bySimilarity: Record<string, JudgedPreference>;
};

/** Options of {@link judgePreference}. */
export type JudgePreferenceOptions = BootstrapOptions & { beta: number };

/**
 * Judges a policy by pairs that it was not trained on, with bootstrap intervals over pairs, all
 * together and by kind of changed detail, length and likeness. `loss` is plain DPO's, whatever the
 * policy was trained with: so models compare, and ln 2 is what an untrained one shows.
 *
 * **Source**: arXiv 2305.18290, Eq. 7; means as `meanMetrics`, intervals as `bootstrap`.
 * **Units**: nats; shares between 0 and 1.
 *
 * @param logProbs the pairs' log-probabilities, from `joinLogProbs`.
 * @param traits their texts, in the same order.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { judgePreference } from "./judge_preference.ts";
 * const tokens = [4, 4], reference = [-9, -9];
 * const report = judgePreference({
 *   policyChosen: [-8, -9],
 *   policyRejected: [-12, -8],
 *   referenceChosen: reference,
 *   referenceRejected: reference,
 *   chosenTokens: tokens,
 *   rejectedTokens: tokens,
 * }, [
 *   { chosen: "Left knee.", rejected: "Right knee." },
 *   { chosen: "No fever.", rejected: "Fever." },
 * ], { beta: 0.1 });
 * assert.equal(report.chosenPreference, 0.5);
 * assert.deepEqual(Object.keys(report.byKind), ["side", "negation"]);
 * assert.equal(report.byKind.side.chosenPreference, 1);
 * ```
 */
export function judgePreference(
  logProbs: PairLogProbs,
  traits: readonly PairTraits[],
  { beta, ...options }: JudgePreferenceOptions,
): PreferenceReport {
  const batch: JudgedPairs = { ...logProbs, ...dpoLoss(logProbs, { beta }) };
  const lengths = Array.from(logProbs.chosenTokens ?? []);
  const alike = traits.map(({ chosen, rejected }) =>
    Math.floor(100 * (1 - distance(chosen, rejected) / Math.max(chosen.length, rejected.length)))
  );
  const kinds = traits.map(({ kind, chosen, rejected }) => kind ?? changedDetail(chosen, rejected));
  const judge = (rows: number[]) => judgeRows(batch, rows, options);
  const split = (labels: string[]) => {
    const groups = Map.groupBy(labels.keys(), (i) => labels[i]);
    return Object.fromEntries(Array.from(groups, ([label, rows]) => [label, judge(rows)]));
  };
  return {
    ...judge([...traits.keys()]),
    byKind: split(kinds),
    byLength: split(terciles(lengths, "tokens")),
    bySimilarity: split(terciles(alike, "% alike")),
  };
}

function judgeRows(
  batch: JudgedPairs,
  rows: number[],
  options: BootstrapOptions,
): JudgedPreference {
  const sums = createMetricSums(), pairs = rows.map((row) => pairMetrics(batch, row));
  rows.forEach((row) => addPairs(sums, rowOf(batch, row)));
  const keys = Object.keys(pairs[0]) as (keyof typeof pairs[0])[];
  const margins = pairs.map((pair) => pair["rewards/margins"]);
  const wins = margins.map((margin) => Number(margin > 0));
  const ties = margins.map((margin) => Number(margin === 0));
  const columns = [...keys.map((key) => pairs.map((pair) => pair[key])), wins, ties];
  const names = [...keys, "rewards/accuracies", "rewards/ties", "chosenPreference"];
  const found = bootstrap(columns, (sums, count) => {
    const means = Array.from(sums, (sum) => sum / count), [win, tie] = means.slice(-2);
    return [...means, win + tie / 2];
  }, options);
  const intervals = names.map((name, i) => {
    const isShare = i >= keys.length;
    return [name, (isShare ? shareInterval(found[i], rows.length) : found[i]).interval];
  });
  return { ...meanMetrics(sums), intervals: Object.fromEntries(intervals) };
}

/** One pair as a batch. */
function rowOf(batch: JudgedPairs, row: number): JudgedPairs {
  const one = Object.entries(batch).map(([key, values]) => [key, [values?.[row]]]);
  return Object.fromEntries(one) as unknown as JudgedPairs;
}
