import type { ErrorBar } from "plotly.js";
import type { EvaluationRecord } from "../../lib/evaluate/evaluation_schema.ts";
import { shortPercent } from "../format.ts";
import { baseLayout, COLORS, type Figure, guideLine, plotText } from "./figure.ts";

type Preference = EvaluationRecord["preference"];
type Group = Preference["by_kind"][string];

/** Chosen Preference by the kind of detail that was changed, with 95% intervals. */
export function preferenceByKind(
  preferences: readonly { name: string; preference: Preference }[],
): Figure {
  const [first] = preferences;
  const counts = Object.entries(first.preference.by_kind).map(([kind, { pairs }]) => ({
    kind,
    pairs,
  })).sort((a, b) => a.pairs - b.pairs);
  const label = ({ kind, pairs }: typeof counts[number]) => plotText(`${kind} (${pairs})`);
  const shown = preferences.map(({ name, preference }) => ({
    name,
    groups: counts.map(({ kind }): Group | undefined => preference.by_kind[kind]),
  }));
  const worst = counts.map(({ kind }, i) => ({
    kind,
    share: shown[0].groups[i]!.chosen_preference,
  })).toSorted((a, b) => a.share - b.share)[0];
  const colors = [COLORS.policy, COLORS.other, COLORS.heldOut];
  const symbols = ["circle", "diamond", "square"] as const;
  return {
    id: "preference_by_kind",
    title: "Chosen Preference by kind of detail",
    summary: worst === undefined
      ? "No pairs were judged."
      : `The lowest of ${counts.length}: ${worst.kind}, ${
        shortPercent(worst.share)
      }. In brackets ` +
        "the number of pairs; whiskers are 95% intervals.",
    table: {
      head: ["kind", "pairs", ...shown.map(({ name }) => name)],
      rows: counts.map(({ kind, pairs }, i) => [
        ...[kind, String(pairs)],
        ...shown.map(({ groups }) => shortPercent(groups[i]?.chosen_preference)),
      ]).reverse(),
    },
    data: shown.map(({ name, groups }, i) => ({
      ...{ type: "scatter", mode: "markers", name },
      x: groups.map((group) => group?.chosen_preference ?? null),
      y: counts.map((_, row) => row + 0.14 * (shown.length - 1 - 2 * i)),
      text: counts.map(label),
      hovertemplate: "%{text}<br>%{x:.1%}<extra></extra>",
      error_x: errorBars(groups, "chosen_preference"),
      marker: { color: colors[i], symbol: symbols[i], size: 9 },
    })),
    layout: baseLayout({
      x: { label: "share of pairs", range: [0, 1.03], tickformat: ".0%" },
      y: { label: "", tickvals: [...counts.keys()], ticktext: counts.map(label), showgrid: false },
      height: 150 + 30 * counts.length,
      ...guideLine({ x: 0.5 }, ""),
    }),
  };
}

/** Whiskers from a value to its interval's ends. */
export function errorBars(
  readings: readonly ({ intervals: Preference["intervals"] } | undefined)[],
  key: string,
): ErrorBar {
  const reach = (end: 0 | 1) =>
    readings.map((reading) => {
      const interval = reading?.intervals[key];
      const value = (reading as unknown as { [name: string]: number } | undefined)?.[key];
      return interval && value !== undefined ? Math.abs(interval[end] - value) : 0;
    });
  const array = reach(1), arrayminus = reach(0);
  return { type: "data", symmetric: false, array, arrayminus, thickness: 1.5, width: 4 };
}
