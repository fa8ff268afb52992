import type { PairsRecord } from "../../lib/evaluate/pairs_record.ts";
import { shortNumber } from "../format.ts";
import { baseLayout, COLORS, type Figure, guideLine, HATCHED } from "./figure.ts";
import { allRewards } from "./pair_rewards.ts";

const BINS = 30;

/** How the rewards of chosen and of rejected answers spread over held-out pairs. */
export function rewardHistogram(record: PairsRecord): Figure {
  const rewards = allRewards(record);
  const chosen = rewards.map((pair) => pair.chosen), rejected = rewards.map((p) => p.rejected);
  const bins = makeBins([...chosen, ...rejected], BINS);
  const counts = { chosen: countIn(bins, chosen), rejected: countIn(bins, rejected) };
  const x = counts.chosen.map((_, i) => bins.start + (i + 0.5) * bins.width);
  const sides = ["chosen", "rejected"] as const;
  return {
    id: "reward_histogram",
    title: "Rewards of both answers",
    summary: `Half of the chosen answers have a reward above ${shortNumber(median(chosen))}, ` +
      `half of the rejected ones above ${shortNumber(median(rejected))}.`,
    table: {
      head: ["reward from", "to", "chosen answers", "rejected answers"],
      rows: x.map((_, i) => [
        shortNumber(bins.start + i * bins.width),
        shortNumber(bins.start + (i + 1) * bins.width),
        ...sides.map((side) => String(counts[side][i])),
      ]),
    },
    data: sides.map((side) => ({
      ...{ type: "bar", name: side, x, y: counts[side], width: bins.width },
      marker: {
        color: COLORS[side],
        opacity: 0.7,
        pattern: HATCHED[side],
      },
    })),
    layout: baseLayout({
      x: { label: "reward, nats × beta" },
      y: { label: "answers" },
      barmode: "overlay",
      bargap: 0.08,
      ...guideLine({ x: 0 }, ""),
    }),
  };
}

/** Where bins of equal width begin that hold all values. */
export function makeBins(values: number[], count: number) {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!(high > low)) return { start: (values.length ? low : 0) - 0.5, width: 1, count: 1 };
  return { start: low, width: (high - low) / count, count };
}

function countIn({ start, width, count }: ReturnType<typeof makeBins>, values: number[]): number[] {
  const counts = new Array<number>(count).fill(0);
  for (const value of values) {
    counts[Math.min(count - 1, Math.max(0, Math.floor((value - start) / width)))]++;
  }
  return counts;
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
}
