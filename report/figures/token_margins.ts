import type { Data } from "plotly.js";
import type { PairRecord } from "../../lib/evaluate/pairs_record.ts";
import { shortNumber, signed } from "../format.ts";
import { baseLayout, COLORS, type Figure, guideLine, HATCHED, plotText } from "./figure.ts";

/** A token's part in its pair's margin. */
export type TokenPart = {
  side: "chosen" | "rejected";
  /** Its place in its answer, from 0. */
  at: number;
  text: string;
  policy: number;
  reference: number;
  /** Policy less reference, in nats: above 0 the policy finds it likelier. */
  ratio: number;
  /** What it adds to the margin. */
  adds: number;
  /** Whether the answers differ in it: it stands between their common beginning and common end. */
  differs: boolean;
};

/** What each token after the common beginning adds to a pair's margin: their sum is the margin. */
export function tokenParts({ tokens }: PairRecord, beta: number): TokenPart[] {
  if (tokens === null) return [];
  const end = commonEnd(tokens);
  return (["chosen", "rejected"] as const).flatMap((side) => {
    const { texts, policy, reference } = tokens[side];
    return texts.map((text, at) => {
      const ratio = policy[at] - reference[at], sign = side === "chosen" ? 1 : -1;
      const own = { policy: policy[at], reference: reference[at], ratio };
      const differs = at < texts.length - end;
      return { side, at, text, ...own, adds: sign * beta * ratio, differs };
    }).slice(tokens.shared);
  });
}

/** How many tokens both answers end with, behind their common beginning. */
export function commonEnd({ shared, chosen, rejected }: NonNullable<PairRecord["tokens"]>): number {
  const most = Math.min(chosen.texts.length, rejected.texts.length) - shared;
  let length = 0;
  while (length < most && chosen.texts.at(-1 - length) === rejected.texts.at(-1 - length)) length++;
  return length;
}

/** How each token of a pair adds to its margin, and the margin as it adds up. */
export function tokenMargins(pair: PairRecord, beta: number): Figure {
  const parts = tokenParts(pair, beta);
  let margin = 0;
  const sums = parts.map(({ adds }) => margin += adds);
  const ofDiffering = parts.reduce((sum, { adds, differs }) => sum + (differs ? adds : 0), 0);
  const [largest] = parts.toSorted((a, b) => Math.abs(b.adds) - Math.abs(a.adds));
  const name = ({ text, side, at }: TokenPart) => `${visible(text)} (${side} ${at + 1})`;
  return {
    id: `pair_${pair.row}`,
    title: `How the tokens of pair ${pair.row} add to its margin`,
    summary: parts.length === 0
      ? "Both answers are the same tokens."
      : `The margin of ${signed(margin)} adds up from ${parts.length} tokens behind the common ` +
        `beginning; those in which the answers differ bring ${signed(ofDiffering)} of it. The ` +
        `largest part, ${signed(largest.adds)}, is that of ${name(largest)}.`,
    table: {
      head: ["token", "answer", "policy", "reference", "log-ratio", "adds to the margin"],
      rows: parts.map((part) => [
        ...[visible(part.text), `${part.side} ${part.at + 1}`],
        ...[shortNumber(part.policy), shortNumber(part.reference)],
        ...[signed(part.ratio), signed(part.adds)],
      ]),
    },
    data: [
      ...(["chosen", "rejected"] as const).map((side): Data => {
        const own = parts.map((part, x) => ({ ...part, x })).filter((part) => part.side === side);
        return {
          ...{ type: "bar", name: side, x: own.map(({ x }) => x) },
          y: own.map(({ adds }) => adds),
          text: own.map(({ text }) => plotText(visible(text))),
          textposition: "none",
          hovertemplate: "%{text}<br>%{y:+.4f}<extra></extra>",
          marker: {
            color: COLORS[side],
            pattern: HATCHED[side],
          },
        };
      }),
      {
        ...{ type: "scatter", mode: "lines", name: "margin so far", hoverinfo: "skip" },
        ...{ x: parts.map((_, x) => x), y: sums },
        line: { color: COLORS.reference, width: 1.5, shape: "hv" },
      },
    ],
    layout: baseLayout({
      x: {
        label: "",
        tickvals: parts.map((_, x) => x),
        ticktext: parts.map(({ text }) => plotText(visible(text, 12))),
        tickangle: -60,
        showgrid: false,
      },
      y: { label: "nats × beta" },
      bargap: 0.15,
      ...guideLine({ y: 0 }, ""),
    }),
  };
}

/** A token's text with its blanks to be seen, and no longer than `most`. */
export function visible(text: string, most = 40): string {
  const shown = text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "␣");
  if (shown === "") return "∅";
  return shown.length > most ? `${shown.slice(0, most - 1).toWellFormed()}…` : shown;
}
