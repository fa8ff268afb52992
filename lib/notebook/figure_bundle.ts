import { COLORS, type Figure, type FigureLayout, type MimeBundle } from "./figure.ts";
import { figureSvg } from "./figure_svg.ts";

const LAYOUT = {
  width: 720,
  height: 340,
  margin: { l: 60, r: 20, t: 64, b: 84 },
  legend: { orientation: "h", x: 0.5, xanchor: "center", y: -0.24 },
  template: { layout: { colorway: COLORS } },
};

/**
 * A figure for a notebook: Plotly's JSON where it is drawn live (JupyterLab, VS Code), the same as an
 * SVG where it is not (saved HTML, a code host's preview), and its title where there is only text.
 */
export function figureBundle(figure: Figure): MimeBundle {
  const { data, layout } = figure;
  return {
    "application/vnd.plotly.v1+json": {
      data,
      layout: { ...LAYOUT, ...withTitlesAbove(layout) },
      config: { displaylogo: false, responsive: true },
    },
    ...pictureBundle(figure),
  };
}

/**
 * A figure that others will replace: a picture alone, for JupyterLab's drawing of Plotly's JSON never
 * looks at what comes after the first.
 */
export function pictureBundle(figure: Figure): MimeBundle {
  return {
    "image/svg+xml": figureSvg(figure),
    "text/plain": figure.layout.title?.text ?? "a figure",
  };
}

/** Titles of y axes stand above their panels, where long ones have room. */
function withTitlesAbove(layout: FigureLayout) {
  const annotations: unknown[] = [], axes: Record<string, unknown> = {};
  for (const name of Object.keys(layout).filter((key) => key.startsWith("yaxis"))) {
    const { title, ...rest } = layout[name as "yaxis"]!;
    if (!title) continue;
    const x = layout[name.replace("y", "x") as "xaxis"]?.domain?.[0] ?? 0;
    const place = { xref: "paper", yref: "paper", x, y: 1, xanchor: "left", yanchor: "bottom" };
    annotations.push({ ...place, text: title.text, showarrow: false });
    axes[name] = rest;
  }
  return { ...layout, ...axes, annotations };
}
