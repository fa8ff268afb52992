import type { EvaluationRecord } from "../../lib/evaluate/evaluation_schema.ts";
import { wrap } from "./help_text.ts";

const LABEL_WIDTH = 20, COLUMN_WIDTH = 20;
const LINE = "-".repeat(LABEL_WIDTH + 3 * COLUMN_WIDTH);

type Reading = { intervals: Record<string, [number, number] | null> };

/** Models, and what each has more than another, side by side with 95 % intervals, in 80 columns. */
export function evaluationTable(evaluation: EvaluationRecord): string {
  const { generation, differences, preference, control_preference: control } = evaluation;
  const groups = Object.keys(preference.by_kind).sort((a, b) =>
    preference.by_kind[b].pairs - preference.by_kind[a].pairs
  );
  const written = [generation.sft, generation.dpo, generation.control];
  const differ = [differences.dpo_sft, differences.control_sft, differences.dpo_control];
  return [
    row(`${preference.pairs} pairs`, ["Stage A", "DPO", control ? "control" : ""]),
    LINE,
    ...PREFERENCE.map(([label, key, scale, untrained]) =>
      row(label, [untrained, cell(preference, key, scale), control && cell(control, key, scale)])
    ),
    ...groups.map((kind) =>
      row(`  ${kind} (${preference.by_kind[kind].pairs})`, [
        "50.0",
        cell(preference.by_kind[kind], "chosen_preference", 100),
        control && cell(control.by_kind[kind], "chosen_preference", 100),
      ])
    ),
    "",
    row(`${evaluation.prompts} prompts`, ["Stage A", "DPO", control ? "control" : ""]),
    LINE,
    ...GENERATION.map(([label, key, scale]) =>
      row(label, written.map((scores) => scores && cell(scores, key, scale)))
    ),
    "",
    row(
      "paired differences",
      control ? ["DPO - Stage A", "control - Stage A", "DPO - control"] : ["DPO - Stage A"],
    ),
    LINE,
    ...GENERATION.map(([label, key, scale]) =>
      row(label, differ.map((scores) => scores && cell(scores, key, scale)))
    ),
  ].join("\n");
}

/** What the table's numbers mean. */
export const TABLE_NOTE = wrap(
  "Shares in %, in brackets 95% intervals; loss, margin and drift in nats. Where the interval of a " +
    "paired difference holds 0 it may be chance. Stage A prefers neither answer by definition: it " +
    "is what the others are compared with.",
  0,
);

const PREFERENCE: [label: string, key: string, scale: number, untrained: string][] = [
  ["loss", "loss", 1, Math.LN2.toFixed(2)],
  ["margin", "rewards/margins", 1, "0.00"],
  ["chosen drift", "drift/chosen", 1, "0.00"],
  ["rejected drift", "drift/rejected", 1, "0.00"],
  ["Chosen Preference", "chosen_preference", 100, "50.0"],
];

const GENERATION: [label: string, key: string, scale: number][] = [
  ["unsupported details", "hallucination_rate", 100],
  ["notes with one", "notes_with_hallucination", 100],
  ["details recalled", "recall", 100],
  ["length, tokens", "mean_tokens", 10],
  ["ended by itself", "stop_rate", 100],
  ["repeated words", "repetition", 100],
  ["gibberish", "gibberish_rate", 100],
];

function row(label: string, cells: (string | null | undefined)[]): string {
  const columns = cells.map((text) => (text ?? "").padStart(COLUMN_WIDTH)).join("");
  return `${label.slice(0, LABEL_WIDTH).padEnd(LABEL_WIDTH)}${columns}`.trimEnd();
}

function cell(reading: Reading | undefined, key: string, scale: number): string {
  const value = (reading as Record<string, unknown> | undefined)?.[key];
  if (typeof value !== "number") return "none";
  const digits = scale === 1 ? 2 : 1, factor = scale === 10 ? 1 : scale;
  const show = (number: number) => {
    const scaled = factor * number, size = Math.abs(scaled);
    const text = scaled.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : digits);
    return Number(text) === 0 ? text.replace("-", "") : text;
  };
  const interval = reading!.intervals[key];
  return interval ? `${show(value)} (${interval.map(show).join(",")})` : show(value);
}
