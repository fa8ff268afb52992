import type { Data, Layout, PlotData } from "plotly.js";
import { shortNumber } from "../format.ts";
import { baseLayout, type Figure } from "./figure.ts";

/** A line over steps. */
export type Curve = {
  name: string;
  color: string;
  x: number[];
  y: number[];
  /** Another run's lines are dashed. */
  dash?: "solid" | "dash";
  /** Single readings, such as an epoch's: a mark each. */
  marks?: boolean;
  /** Drawn as it is, however long: it has no noise. */
  exact?: boolean;
};

/** What a figure of curves is made of. */
export type CurveFigureOptions = {
  id: string;
  title: string;
  /** The vertical axis, with its unit. */
  unit: string;
  curves: Curve[];
  /** Lines to compare with. */
  guide?: Pick<Layout, "shapes" | "annotations">;
  /** Writes a value out. */
  format?: (value: number) => string;
  yaxis?: Partial<Layout["yaxis"]>;
};

/** Points of a line that a page holds; more than a screen has. */
const MOST_POINTS = 600;
/** Readings below which a line is drawn as it is. */
const FEW_READINGS = 30;

/**
 * Draws lines over training steps. A long noisy line is drawn twice: as it is, faint, and as its
 * moving mean.
 */
export function curveFigure(options: CurveFigureOptions): Figure {
  const { id, title, unit, guide, format = shortNumber, yaxis } = options;
  const curves = options.curves.map(finiteOnly).filter(({ x }) => x.length > 0);
  return {
    ...{ id, title },
    summary: curves.length === 0
      ? "Nothing was recorded."
      : `${curves.map((curve) => inWords(curve, format)).join("; ")}.${overWhat(curves)}`,
    table: tableOf(curves, format),
    data: curves.flatMap(traces),
    layout: baseLayout({
      x: { label: "step", rangemode: "tozero" },
      y: { label: unit, ...yaxis },
      ...guide,
    }),
  };
}

function traces(curve: Curve): Data[] {
  const { name, color, dash, marks, exact } = curve, points = thin(curve, MOST_POINTS);
  const line = { color, width: 2, dash };
  const base = { type: "scatter", name, legendgroup: name, ...points } as const;
  if (marks || curve.x.length <= FEW_READINGS) {
    const symbol: PlotData["marker"]["symbol"] = marks ? "diamond" : "circle";
    const size = marks ? 9 : 5;
    return [{ ...base, mode: "lines+markers", line, marker: { color, symbol, size } }];
  }
  if (exact) return [{ ...base, mode: "lines", line }];
  return [
    {
      ...base,
      ...{ mode: "lines", opacity: 0.3, line: { ...line, width: 1 } },
      ...{ showlegend: false, hoverinfo: "skip" },
    },
    { ...base, y: movingMean(points.y, Math.ceil(points.y.length / 25)), mode: "lines", line },
  ];
}

/** A line's readings in buckets of as many steps each, by their means. */
export function thin({ x, y }: { x: number[]; y: number[] }, most: number) {
  const size = Math.ceil(x.length / most);
  if (size <= 1) return { x, y };
  const means = (values: number[]) =>
    Array.from({ length: Math.ceil(values.length / size) }, (_, i) => {
      const part = values.slice(i * size, (i + 1) * size);
      return part.reduce((sum, value) => sum + value, 0) / part.length;
    });
  return { x: means(x), y: means(y) };
}

/** Each reading's mean with those up to `reach` before and after it. */
export function movingMean(values: number[], reach: number): number[] {
  const sums = [0];
  for (const value of values) sums.push(sums.at(-1)! + value);
  return values.map((_, i) => {
    const from = Math.max(0, i - reach), to = Math.min(values.length, i + reach + 1);
    return (sums[to] - sums[from]) / (to - from);
  });
}

function finiteOnly(curve: Curve): Curve {
  const kept = curve.y.map((_, i) => i).filter((i) => Number.isFinite(curve.y[i]));
  return { ...curve, x: kept.map((i) => curve.x[i]), y: kept.map((i) => curve.y[i]) };
}

function inWords({ name, x, y }: Curve, format: (value: number) => string): string {
  if (y.length === 1) return `${name}: ${format(y[0])} at step ${x[0]}`;
  const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const size = tenth(y),
    first = format(mean(y.slice(0, size))),
    last = format(mean(y.slice(-size)));
  return `${name}: from ${first} to ${last}`;
}

/** Readings of which a line's first and last means are made. */
const tenth = (values: number[]) => Math.max(1, Math.floor(values.length / 10));

function overWhat(curves: Curve[]): string {
  const size = curves.reduce((most, { y }) => Math.max(most, tenth(y)), 1);
  return size === 1 ? "" : ` Means over the first and the last ${size} steps.`;
}

/** Up to ten readings of each line. */
function tableOf(curves: Curve[], format: (value: number) => string): Figure["table"] {
  const rows = curves.flatMap(({ name, x, y }) => {
    const count = Math.min(10, x.length);
    return Array.from({ length: count }, (_, i) => {
      const at = count === 1 ? 0 : Math.round(i * (x.length - 1) / (count - 1));
      return [name, String(x[at]), format(y[at])];
    });
  });
  return { head: ["line", "step", "value"], rows };
}
