import { COLORS, type Figure, type MimeBundle } from "./figure.ts";
import { figureSvg } from "./figure_svg.ts";

const LAYOUT = {
  width: 720,
  height: 320,
  margin: { l: 60, r: 20, t: 40, b: 50 },
  template: { layout: { colorway: COLORS } },
};

/**
 * A figure for a notebook: Plotly's JSON where it is drawn live (JupyterLab, VS Code), the same as an
 * SVG where it is not (saved HTML, a code host's preview), and its title where there is only text.
 */
export function figureBundle({ data, layout }: Figure): MimeBundle {
  const whole = { ...LAYOUT, ...layout };
  return {
    "application/vnd.plotly.v1+json": {
      data,
      layout: whole,
      config: { displaylogo: false, responsive: true },
    },
    "image/svg+xml": figureSvg({ data, layout: whole }),
    "text/plain": layout.title?.text ?? "a figure",
  };
}
