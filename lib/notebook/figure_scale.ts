import type { FigureAxis } from "./figure.ts";

/** Turns values of an axis into shares of its length, and says where its ticks stand. */
export type Scale = {
  share: (value: number | string) => number;
  ticks: { share: number; label: string }[];
};

const MOST_TICKS = 6;

/** The scale of an axis over `values`: words stand in their order, numbers in their range. */
export function axisScale(
  values: readonly (number | string)[],
  { range, type }: FigureAxis = {},
  { padding = 0.05 } = {},
): Scale {
  if (type === "category" || values.some((value) => typeof value === "string")) {
    return categoryScale(values);
  }
  const isLog = type === "log", toAxis = isLog ? Math.log10 : (value: number) => value;
  const numbers = (values as number[]).map(toAxis).filter(Number.isFinite);
  const [low, high] = range ?? spread(numbers, padding); // Plotly's range of a log axis is in powers
  const share = (value: number | string) => (toAxis(Number(value)) - low) / (high - low);
  const marks = isLog ? powers(low, high) : roundSteps(low, high);
  return { share, ticks: marks.map((mark) => ({ share: share(mark), label: tickLabel(mark) })) };
}

function categoryScale(values: readonly (number | string)[]): Scale {
  const names = [...new Set(values.map(String))];
  const share = (value: number | string) => (names.indexOf(String(value)) + 0.5) / names.length;
  return { share, ticks: names.map((label) => ({ share: share(label), label })) };
}

/** The numbers' range with some room around; a range without extent gets one. */
function spread(numbers: number[], padding: number): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const number of numbers) [low, high] = [Math.min(low, number), Math.max(high, number)];
  if (!(low <= high)) return [0, 1];
  const extent = high - low || Math.abs(high) || 1;
  return [low - padding * extent, high + padding * extent];
}

/** Multiples of 1, 2 or 5 times a power of ten. */
function roundSteps(low: number, high: number): number[] {
  const rough = (high - low) / MOST_TICKS, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough)!;
  const first = Math.ceil(low / step), last = Math.floor(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

function powers(low: number, high: number): number[] {
  const first = Math.ceil(low), last = Math.floor(high);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => 10 ** (first + i));
}

function tickLabel(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return value.toExponential(0).replace("e+", "e");
  return String(Number(value.toPrecision(6)));
}
