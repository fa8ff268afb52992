import type { PairsRecord } from "../../lib/evaluate/pairs_record.ts";
import { shortNumber } from "../format.ts";
import { baseLayout, COLORS, type Figure, guideLine, plotText } from "./figure.ts";
import { allRewards } from "./pair_rewards.ts";

/** Each pair's margin, from the lowest to the highest; pairs that are told the wrong way are marked. */
export function sortedMargins(record: PairsRecord): Figure {
  const margins = allRewards(record).map(({ margin }) => margin);
  const order = margins.map((_, i) => i).sort((a, b) => margins[a] - margins[b]);
  const points = order.map((i, rank) => ({ rank: rank + 1, margin: margins[i], ...named(i) }));
  const wrong = points.filter(({ margin }) => margin < 0);
  const ties = points.filter(({ margin }) => margin === 0);
  const right = points.filter(({ margin }) => margin > 0);
  return {
    id: "sorted_margins",
    title: "Margin of each pair, sorted",
    summary: `${wrong.length} of ${points.length} pairs are ranked the wrong way` +
      (ties.length ? `, ${ties.length} tied` : "") +
      `; margins reach from ${shortNumber(points[0]?.margin)} to ` +
      `${shortNumber(points.at(-1)?.margin)}.`,
    table: {
      head: ["pair", "kind", "margin"],
      rows: points.slice(0, 10).map(({ row, kind, margin }) => [
        ...[String(row), kind, shortNumber(margin)],
      ]),
    },
    data: ([
      ["mis-ranked", wrong, COLORS.rejected, "x"],
      ["tied", ties, COLORS.reference, "square"],
      ["ranked right", right, COLORS.chosen, "circle"],
    ] as const).filter(([, found]) => found.length > 0).map(([name, found, color, symbol]) => ({
      ...{ type: "scatter", mode: "markers", name: `${name} (${found.length})` },
      x: found.map(({ rank }) => rank),
      y: found.map(({ margin }) => margin),
      text: found.map(({ row, kind }) => plotText(`pair ${row}, ${kind}`)),
      hovertemplate: "%{text}<br>margin %{y:.3f}<extra></extra>",
      marker: { color, symbol, size: symbol === "x" ? 8 : 6 },
    })),
    layout: baseLayout({
      x: { label: "pairs, by margin" },
      y: { label: "margin, nats × beta" },
      ...guideLine({ y: 0 }, ""),
    }),
  };

  function named(i: number) {
    const { row, kind } = record.pairs[i];
    return { row, kind };
  }
}
