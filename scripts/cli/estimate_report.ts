import type { Estimate } from "../../mod.ts";
import { formatCount } from "../../lib/format_count.ts";
import { formatBytes, formatDuration, formatRate } from "./format.ts";
import { wrap } from "./help_text.ts";

export type EstimateReportOptions = {
  /** What a row is: "pair", "row". */
  noun: string;
  batchSize: number;
  /** The machine's memory in bytes, where this process may ask for it. */
  memoryBytes?: number;
};

const LABEL = 14, FIGURE = 9;

/** What a run will take, in words for a terminal of 80 columns. */
export function estimateReport(
  estimate: Estimate,
  { noun, batchSize, memoryBytes }: EstimateReportOptions,
): string {
  const { parameters, rows, steps, stepsPerEpoch, tokens, memory, leaner, seconds } = estimate;
  const many = (count: number) => count.toLocaleString("en-US");
  const line = (label: string, figure: string, remark = "") =>
    `  ${label.padEnd(LABEL)}${figure.padStart(FIGURE)}   ${remark}`.trimEnd();
  const total = memoryBytes === undefined ? "" : ` of this machine's ${formatBytes(memoryBytes)}`;
  const isTooMuch = memoryBytes !== undefined && memory.peak > 0.9 * memoryBytes;
  const isTrial = steps < stepsPerEpoch, period = isTrial ? "for the steps" : "an epoch";
  const rowsAnEpoch = rows * Math.min(1, steps / stepsPerEpoch);
  return [
    wrap(
      `A dry run: nothing is trained. ${formatCount(rows, noun)} in batches of ${batchSize}: ` +
        `${formatCount(stepsPerEpoch, "step")} an epoch, ${many(steps)} in all.`,
      0,
    ),
    "",
    `Parameters: ${many(parameters.frozen)} frozen, ${many(parameters.trained)} trained`,
    `Tokens: ${many(tokens.shared)} in ${isTrial ? "the steps" : "the first epoch"}` +
    (tokens.unshared > tokens.shared ? `; ${many(tokens.unshared)} if pairs shared nothing` : ""),
    "",
    `Memory: about ${formatBytes(memory.peak)}${total}` +
    (isTooMuch ? ". It does not fit." : ""),
    line("weights", formatBytes(memory.weights)),
    line("trained", formatBytes(memory.trained), "numbers, gradients, Adam's moments"),
    line("activations", formatBytes(memory.activations), "of the largest batch"),
    line("logits", formatBytes(memory.logits)),
    line("this process", formatBytes(memory.runtime), "Deno, what computes, the rows"),
    ...leaner.map(({ flags, peak }) => wrap(`${formatBytes(peak)} with ${flags}`, 2)),
    "",
    `Time here: ${formatDuration(seconds.run)}, from a second's calibration`,
    ...(seconds.reference > 0 ? [line("reference", formatDuration(seconds.reference))] : []),
    line(
      isTrial ? "the steps" : "an epoch",
      formatDuration(seconds.epoch),
      `${formatRate(rowsAnEpoch / seconds.epoch)} ${noun}s/s`,
    ),
    ...(seconds.judging > 0
      ? [line("judging", formatDuration(seconds.judging), "after each epoch")]
      : []),
    "",
    "Figured for other machines at 30 % of their published float32 peak; not run:",
    ...estimate.hardware.map(({ name, fits, epochSeconds }) =>
      `  ${name.padEnd(24)}${
        fits ? `fits, ${formatDuration(epochSeconds)} ${period}` : "too large for it"
      }`
    ),
  ].join("\n");
}
