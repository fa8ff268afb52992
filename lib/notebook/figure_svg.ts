import { COLORS, type Figure, type FigureAxis, type FigureTrace } from "./figure.ts";
import { axisScale, type Scale } from "./figure_scale.ts";

const MARGIN = { left: 60, right: 20, top: 72, bottom: 50 };
/** The room that turned labels need beside. */
const TURNED_LABELS = 30;
const DASHES = { solid: "", dash: "6 4", dot: "2 3" };

/** A panel: the traces on one pair of axes, and where it stands. */
type Panel = {
  x: Scale;
  y: Scale;
  left: number;
  width: number;
  top: number;
  height: number;
  xTitle: string;
  /** Degrees that the x axis' labels are turned by. */
  turned: number;
  yTitle: string;
  traces: { trace: FigureTrace; color: string }[];
};

/**
 * Draws a figure of lines, points and bars as a picture that needs no script: what is shown where
 * Plotly doesn't run. Panels stand side by side, by the `domain` of their x axes.
 */
export function figureSvg({ data, layout }: Figure): string {
  const { width = 720, height = 320, title } = layout;
  const colored = data.map((trace, i) => ({ trace, color: colorOf(trace, i) }));
  const groups = Map.groupBy(colored, ({ trace }) => trace.xaxis ?? "x");
  const panels = [...groups].map(([name, traces]) => {
    const axis = (letter: "x" | "y") => layout[`${letter}axis${name.slice(1)}` as "xaxis"] ?? {};
    return layPanel(traces, { x: axis("x"), y: axis("y"), width, height });
  });
  const body = [
    text(title?.text ?? "", { x: width / 2, y: 20, size: 15, anchor: "middle" }),
    legend(colored, width),
    ...panels.map(drawPanel),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `width="${width}" height="${height}" font-family="sans-serif" role="img">` +
    `<title>${escape(title?.text ?? "figure")}</title>` +
    `<rect width="100%" height="100%" fill="#fff"/>${body.join("")}</svg>`;
}

function colorOf({ line, marker }: FigureTrace, index: number): string {
  return line?.color ?? marker?.color ?? COLORS[index % COLORS.length];
}

function layPanel(
  traces: Panel["traces"],
  { x, y, width, height }: { x: FigureAxis; y: FigureAxis; width: number; height: number },
): Panel {
  const inner = width - MARGIN.left - MARGIN.right, [from, to] = x.domain ?? [0, 1];
  const hasBars = traces.some(({ trace }) => trace.type === "bar");
  const heights = traces.flatMap(({ trace }) => trace.y);
  return {
    x: axisScale(traces.flatMap(({ trace }) => trace.x), x, { padding: hasBars ? 0.1 : 0 }),
    y: axisScale(hasBars ? [0, ...heights] : heights, y),
    left: MARGIN.left + from * inner,
    width: (to - from) * inner,
    top: MARGIN.top,
    height: height - MARGIN.top - MARGIN.bottom - (x.tickangle ? TURNED_LABELS : 0),
    xTitle: x.title?.text ?? "",
    turned: x.tickangle ?? 0,
    yTitle: y.title?.text ?? "",
    traces,
  };
}

function drawPanel(panel: Panel): string {
  const { x, y, left, width, top, height, traces, turned } = panel, bottom = top + height;
  const grid = [
    ...x.ticks.filter(isInside).map(({ share, label }) => {
      const at = round(left + share * width);
      return `<path d="M${at} ${bottom}v4" stroke="#666"/>` +
        (turned
          ? text(label, { x: at, y: bottom + 14, anchor: "end", turned })
          : text(label, { x: at, y: bottom + 17, anchor: "middle" }));
    }),
    ...y.ticks.filter(isInside).map(({ share, label }) => {
      const at = round(bottom - share * height);
      return `<path d="M${round(left)} ${at}h${round(width)}" stroke="#ddd"/>` +
        text(label, { x: left - 6, y: at + 4, anchor: "end" });
    }),
  ];
  const frame = `<path d="M${round(left)} ${top}V${bottom}h${round(width)}" fill="none" ` +
    `stroke="#666"/>`;
  const titles = text(panel.xTitle, { x: left + width / 2, y: bottom + 38, anchor: "middle" }) +
    text(panel.yTitle, { x: left, y: top - 8, anchor: "start" });
  const bars = traces.filter(({ trace }) => trace.type === "bar");
  const marks = traces.map((drawn) =>
    drawn.trace.type === "bar"
      ? drawBars(drawn, panel, { index: bars.indexOf(drawn), count: bars.length })
      : drawScatter(drawn, panel)
  );
  return [...grid, frame, titles, ...marks].join("");
}

const isInside = ({ share }: { share: number }) => share >= -1e-9 && share <= 1 + 1e-9;

function drawScatter({ trace, color }: Panel["traces"][number], panel: Panel): string {
  const { line, marker, mode = "lines" } = trace;
  const points = trace.x.map((x, i) => pointOf(panel, x, trace.y[i]));
  const drawn: string[] = [];
  if (mode.includes("lines")) {
    const dash = DASHES[line?.dash ?? "solid"];
    drawn.push(
      `<path d="${pathOf(points)}" fill="none" stroke="${escape(color)}" ` +
        `stroke-width="${line?.width ?? 2}"${dash && ` stroke-dasharray="${dash}"`}/>`,
    );
  }
  if (mode.includes("markers")) {
    const radius = (marker?.size ?? 6) / 2;
    const seen = points.filter((point) => point !== null);
    drawn.push(
      ...seen.map(([x, y]) =>
        `<circle cx="${x}" cy="${y}" r="${radius}" fill="${escape(color)}"/>`
      ),
    );
  }
  return drawn.join("");
}

/** A path through the points; what is no number, or far outside, leaves a gap. */
function pathOf(points: (readonly [number, number] | null)[]): string {
  return points.map((point, i) =>
    point && `${i > 0 && points[i - 1] ? "L" : "M"}${point.join(" ")}`
  )
    .filter(Boolean).join("");
}

function pointOf(
  { x, y, left, width, top, height }: Panel,
  xValue: number | string,
  yValue: number,
): readonly [number, number] | null {
  const [across, up] = [x.share(xValue), y.share(yValue)];
  if (![across, up].every((share) => share >= -1e-6 && share <= 1 + 1e-6)) return null;
  return [round(left + across * width), round(top + (1 - up) * height)];
}

function drawBars(
  { trace, color }: Panel["traces"][number],
  { x, y, left, width, top, height }: Panel,
  { index, count }: { index: number; count: number },
): string {
  const places = Math.max(1, new Set(trace.x).size), slot = 0.8 * width / places / count;
  const clamp = (share: number) => Math.min(1, Math.max(0, share)), zero = clamp(y.share(0));
  return trace.x.map((value, i) => {
    const up = clamp(y.share(trace.y[i]));
    const at = left + x.share(value) * width + (index - count / 2) * slot;
    const highest = top + (1 - Math.max(up, zero)) * height;
    return `<rect x="${round(at)}" y="${round(highest)}" width="${round(0.94 * slot)}" ` +
      `height="${round(Math.abs(up - zero) * height)}" fill="${escape(color)}"/>`;
  }).join("");
}

function legend(colored: Panel["traces"], width: number): string {
  const named = colored.filter(({ trace }) => trace.name && trace.showlegend !== false);
  if (named.length < 2) return "";
  const sizes = named.map(({ trace }) => 26 + 6.2 * trace.name!.length);
  let x = (width - sizes.reduce((a, b) => a + b)) / 2;
  return named.map(({ trace, color }, i) => {
    const at = x;
    x += sizes[i];
    return `<rect x="${round(at)}" y="34" width="10" height="10" fill="${escape(color)}"/>` +
      text(trace.name!, { x: at + 14, y: 43 });
  }).join("");
}

type TextOptions = { x: number; y: number; size?: number; anchor?: string; turned?: number };

function text(
  words: string,
  { x, y, size = 12, anchor = "start", turned }: TextOptions,
): string {
  if (words === "") return "";
  const turn = turned ? ` transform="rotate(${turned} ${round(x)} ${round(y)})"` : "";
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" text-anchor="${anchor}" ` +
    `fill="#333"${turn}>${escape(words)}</text>`;
}

const round = (value: number) => Math.round(10 * value) / 10;

function escape(words: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return words.replace(/[&<>"]/g, (character) => entities[character]);
}
