import type { EvaluationRecord } from "../../lib/evaluate/evaluation_schema.ts";
import { shortPercent } from "../format.ts";
import { WRITER_NAMES, WRITERS } from "../run_view.ts";
import { baseLayout, COLORS, type Figure, HATCHED } from "./figure.ts";
import { errorBars } from "./preference_by_kind.ts";

const MEASURES = [
  ["hallucination_rate", "details unsupported", COLORS.policy, "chosen"],
  ["notes_with_hallucination", "texts with one", COLORS.rejected, "rejected"],
] as const;

/** How much of what each model writes its prompt doesn't bear out, with 95% intervals. */
export function unsupportedDetails({ generation, prompts }: EvaluationRecord): Figure {
  const writers = WRITERS.filter((writer) => generation[writer]);
  const read = (key: typeof MEASURES[number][0]) => writers.map((name) => generation[name]![key]);
  return {
    id: "unsupported_details",
    title: "What the prompt doesn't bear out",
    summary:
      writers.map((name) =>
        `${WRITER_NAMES[name]}: ${
          shortPercent(generation[name]!.hallucination_rate)
        } of details, ` +
        `${shortPercent(generation[name]!.notes_with_hallucination)} of texts`
      ).join("; ") + `. ${prompts} prompts; whiskers are 95% intervals.`,
    table: {
      head: ["model", ...MEASURES.map(([, name]) => name)],
      rows: writers.map((writer, i) => [
        WRITER_NAMES[writer],
        ...MEASURES.map(([key]) => shortPercent(read(key)[i])),
      ]),
    },
    data: MEASURES.map(([key, name, color, hatch]) => ({
      ...{ type: "bar", name, x: writers.map((writer) => WRITER_NAMES[writer]), y: read(key) },
      error_y: errorBars(writers.map((writer) => generation[writer]), key),
      marker: { color, opacity: 0.85, pattern: HATCHED[hatch] },
    })),
    layout: baseLayout({
      x: { label: "", type: "category" },
      y: { label: "share", tickformat: ".0%", rangemode: "tozero" },
      bargap: 0.35,
    }),
  };
}
