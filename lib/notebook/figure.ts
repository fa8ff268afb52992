/** A curve, points or bars: what `figureSvg` can draw of Plotly's trace. */
export type FigureTrace = {
  type?: "scatter" | "bar";
  mode?: "lines" | "markers" | "lines+markers";
  x: readonly (number | string)[];
  y: readonly number[];
  name?: string;
  /** Axes of the panel that it stands in: "x2" and "y2" for the second. */
  xaxis?: string;
  yaxis?: string;
  line?: { color?: string; width?: number; dash?: "solid" | "dash" | "dot" };
  marker?: { color?: string; size?: number };
  showlegend?: boolean;
};

/** An axis as Plotly describes it; `domain` is the share of the figure that its panel takes. */
export type FigureAxis = {
  title?: { text: string };
  range?: [number, number];
  type?: "linear" | "log" | "category";
  domain?: [number, number];
  /** Turns the labels, in degrees. */
  tickangle?: number;
  anchor?: string;
};

/** Plotly's layout, as far as it is drawn here. */
export type FigureLayout = {
  title?: { text: string };
  width?: number;
  height?: number;
  xaxis?: FigureAxis;
  yaxis?: FigureAxis;
  /** Those of further panels: `xaxis2`, ... */
  [axis: `${"x" | "y"}axis${number}`]: FigureAxis;
};

/** A figure as Plotly takes it. */
export type Figure = { data: FigureTrace[]; layout: FigureLayout };

/** What a notebook can show of one thing, by media type; it takes the richest that it knows. */
export type MimeBundle = Record<string, unknown>;

/** Colours that tell curves apart for eyes of all kinds (Okabe and Ito). */
export const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"] as const;
