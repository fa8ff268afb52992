import { shortNumber } from "../format.ts";
import { type Sample, WRITER_NAMES, WRITERS } from "../run_view.ts";
import { baseLayout, COLORS, type Figure } from "./figure.ts";
import { median } from "./reward_histogram.ts";

const SHAPES = {
  sft: { color: COLORS.reference, dash: "dot" },
  dpo: { color: COLORS.policy, dash: "solid" },
  control: { color: COLORS.other, dash: "dash" },
} as const;

/** How long the models' texts are, before training and after, in words. */
export function textLengths(samples: readonly Sample[]): Figure {
  const writers = WRITERS.filter((writer) => samples.some(({ texts }) => texts[writer]));
  const lengths = writers.map((writer) =>
    samples.flatMap(({ texts }) => texts[writer] ? [countWords(texts[writer].text)] : [])
  );
  const { start, width, count } = wholeBins(lengths.flat());
  const x = Array.from({ length: count }, (_, i) => start + i * width + (width - 1) / 2);
  const shares = lengths.map((values) =>
    x.map((_, i) =>
      values.filter((value) => Math.floor((value - start) / width) === i).length / values.length
    )
  );
  return {
    id: "text_lengths",
    title: "Length before and after",
    summary:
      writers.map((writer, i) =>
        `${WRITER_NAMES[writer]}: half of the texts have ${
          shortNumber(median(lengths[i]))
        } words or more`
      ).join("; ") + ".",
    table: {
      head: ["words", ...writers.map((writer) => WRITER_NAMES[writer])],
      rows: x.map((_, i) => [
        width === 1 ? String(start + i) : `${start + i * width}–${start + (i + 1) * width - 1}`,
        ...lengths.map((values, k) => String(Math.round(shares[k][i] * values.length))),
      ]),
    },
    data: writers.map((writer, i) => ({
      ...{ type: "scatter", mode: "lines", name: WRITER_NAMES[writer], x, y: shares[i] },
      line: { ...SHAPES[writer], width: 2, shape: "hvh" },
    })),
    layout: baseLayout({
      x: { label: "words" },
      y: { label: "share of texts", tickformat: ".0%", rangemode: "tozero" },
    }),
  };
}

const countWords = (text: string) => text.split(/\s+/).filter(Boolean).length;

/** About twenty bins of whole words, with an empty one at each end. */
function wholeBins(values: number[]) {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), 0);
  const width = Math.max(1, Math.ceil((high - low + 1) / 20));
  return { start: low - width, width, count: Math.ceil((high - low + 1) / width) + 2 };
}
