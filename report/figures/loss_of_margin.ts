import type { PairsRecord } from "../../lib/evaluate/pairs_record.ts";
import { logSigmoid } from "../../lib/loss/log_sigmoid.ts";
import { shortNumber } from "../format.ts";
import { baseLayout, COLORS, type Figure, plotText } from "./figure.ts";
import { allRewards, rankOf } from "./pair_rewards.ts";

const MARKS = {
  right: { color: COLORS.chosen, symbol: "circle" },
  wrong: { color: COLORS.rejected, symbol: "x" },
  tie: { color: COLORS.reference, symbol: "square" },
};

/**
 * DPO's own loss, `sigmoid`, as a curve over the margin, -log sigmoid(margin), with the run's pairs on
 * it; label smoothing, weights and what else a run may add are not in it.
 */
export function lossOfMargin(record: PairsRecord): Figure {
  const margins = allRewards(record).map(({ margin }) => margin);
  const losses = margins.map((margin) => -logSigmoid(margin));
  const reach = 1.2 * margins.reduce((most, m) => Math.max(most, Math.abs(m)), 1);
  const x = Array.from({ length: 121 }, (_, i) => reach * (i / 60 - 1));
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  return {
    id: "loss_of_margin",
    title: "DPO's (sigmoid) loss without other terms, and where the pairs stand on it",
    summary:
      `The curve falls from high losses on the left, where the rejected answer is preferred, ` +
      `through ln 2 at margin 0. The ${losses.length} pairs' mean of this loss is ${
        shortNumber(mean)
      }; ` +
      "where the curve is flat a pair teaches little more.",
    table: {
      head: ["margin", "loss", "slope"],
      rows: [-2, -1, 0, 1, 2].map((margin) => [
        shortNumber(margin),
        shortNumber(-logSigmoid(margin)),
        shortNumber(-1 / (1 + Math.exp(margin))),
      ]),
    },
    data: [
      {
        ...{ type: "scatter", mode: "lines", name: "−log sigmoid(margin)" },
        ...{ x, y: x.map((margin) => -logSigmoid(margin)), hoverinfo: "skip" },
        line: { color: COLORS.reference, width: 2 },
      },
      {
        ...{ type: "scatter", mode: "markers", name: "held-out pairs", x: margins, y: losses },
        text: record.pairs.map(({ row, kind }) => plotText(`pair ${row}, ${kind}`)),
        hovertemplate: "%{text}<br>margin %{x:.3f}, loss %{y:.3f}<extra></extra>",
        marker: {
          size: 8,
          opacity: 0.6,
          color: margins.map((margin) => MARKS[rankOf(margin)].color),
          symbol: margins.map((margin) => MARKS[rankOf(margin)].symbol),
        },
      },
    ],
    layout: baseLayout({
      x: { label: "margin: beta × difference of log-ratios", zeroline: true },
      y: { label: "sigmoid loss, nats", rangemode: "tozero" },
    }),
  };
}
