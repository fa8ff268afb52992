import type { FigureLayout, FigureTrace } from "./figure.ts";
import { figureBundle } from "./figure_bundle.ts";
import { type Broadcast, kernelBroadcast, settle, showBundle } from "./kernel.ts";

/**
 * Shows a Plotly figure under the running cell: one that can be zoomed in JupyterLab and VS Code, a
 * picture in saved HTML.
 *
 * **Source**: traces and layout are Plotly's (https://plotly.com/javascript/reference/); drawn are
 * lines, points and bars.
 *
 * @param data Curves, points or bars.
 * @param layout Title and axes.
 * @throws {Error} when this is no notebook.
 *
 * @example In a cell it needs two arguments; here the page is a list.
 * ```ts
 * import assert from "node:assert/strict";
 * import { showFigure } from "./show_figure.ts";
 * const sent: string[] = [];
 * const page = (type: string) => (sent.push(type), Promise.resolve());
 * await showFigure([{ x: [0, 1], y: [0, 1] }], { title: { text: "A line" } }, page);
 * assert.deepEqual(sent, ["display_data"]);
 * ```
 */
export async function showFigure(
  data: FigureTrace[],
  layout: FigureLayout = {},
  broadcast: Broadcast = kernelBroadcast(),
): Promise<void> {
  await showBundle(figureBundle({ data, layout }), broadcast);
  await settle();
}
