import type { Data, Layout, LayoutAxis } from "plotly.js";

/** A figure in numbers and in words. */
export type Figure = {
  /** Its place in the page. */
  id: string;
  title: string;
  /** What is to be seen, for who can't see it; it stands under the figure. */
  summary: string;
  /** The numbers behind it. */
  table: FigureTable;
  data: Data[];
  layout: Partial<Layout>;
};

/** Some of a figure's numbers, ready to be read. */
export type FigureTable = { head: string[]; rows: string[][] };

/**
 * Colours that people with any colour vision tell apart, readable on white and on near black.
 *
 * **Source**: M. Okabe and K. Ito, "Color Universal Design", 2008.
 */
export const COLORS = {
  chosen: "#0072b2",
  rejected: "#d55e00",
  policy: "#0072b2",
  reference: "#8a8f98",
  heldOut: "#009e73",
  other: "#cc79a7",
} as const;

/** Bars' second sign beside their colour: those of rejected answers are hatched. */
export const HATCHED = {
  chosen: { shape: "" },
  rejected: { shape: "/", fillmode: "overlay", size: 6, solidity: 0.2 },
} as const;

/** The layout that figures share; the page's script adds the colours of the theme. */
export function baseLayout(
  { x, y, ...layout }: Omit<Partial<Layout>, "xaxis" | "yaxis"> & {
    x: Partial<LayoutAxis> & { label: string };
    y: Partial<LayoutAxis> & { label: string };
  },
): Partial<Layout> {
  const axis = ({ label, ...rest }: Partial<LayoutAxis> & { label: string }) => ({
    title: { text: label, standoff: 8 },
    automargin: true,
    zeroline: false,
    fixedrange: false,
    ...rest,
  });
  return {
    margin: { l: 52, r: 14, t: 30, b: 44 },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
    showlegend: true,
    hovermode: "closest",
    xaxis: axis(x),
    yaxis: axis(y),
    ...layout,
  };
}

/** Text of the data in a figure, where Plotly would read tags in it. */
export function plotText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A line across a figure: a value to compare with. */
export function guideLine(
  at: { x: number } | { y: number },
  text: string,
): Pick<Layout, "shapes" | "annotations"> {
  const isUpright = "x" in at;
  const place = isUpright
    ? { x0: at.x, x1: at.x, y0: 0, y1: 1, yref: "paper" as const }
    : { y0: at.y, y1: at.y, x0: 0, x1: 1, xref: "paper" as const };
  return {
    shapes: [{
      type: "line",
      ...place,
      line: { color: COLORS.reference, width: 1, dash: "dot" },
      layer: "below",
    }],
    annotations: [{
      ...(isUpright
        ? { x: at.x, y: 1, yref: "paper", yanchor: "top", xanchor: "left" }
        : { y: at.y, x: 0.02, xref: "paper", xanchor: "left", yanchor: "bottom" }),
      text,
      showarrow: false,
      font: { size: 11 },
    }],
  };
}
