/** A setting by what it is called, and what a step of it took. */
export type CostPoint = { label: string; tokens: number; seconds: number; peak: number };

const COLUMNS = 4, WIDTH = 235, HEIGHT = 190, PLOT = { left: 22, top: 46, width: 158, height: 100 };
const LINES = [
  { color: "#1f77b4", value: ({ seconds }: CostPoint) => seconds, unit: "s" },
  { color: "#b8860b", value: ({ peak }: CostPoint) => peak / 2 ** 30, unit: "GiB" },
];

/** The figure of cost_growth.ts: a panel for each size that grows, time and memory each from zero. */
export function drawCost(series: Record<string, CostPoint[]>): string {
  const panels = Object.entries(series).map(([name, points], i) => {
    const x = WIDTH * (i % COLUMNS), y = 40 + HEIGHT * Math.floor(i / COLUMNS);
    return `<g transform="translate(${x} ${y})">${panel(name, points)}</g>`;
  });
  const height = 50 + HEIGHT * Math.ceil(panels.length / COLUMNS);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${
    COLUMNS * WIDTH
  } ${height}" role="img"
  aria-label="Time and peak memory of a step as each of its sizes grows">
  <style>
    text { font-family: system-ui, sans-serif; fill: #222; font-size: 11px }
    .title { font-size: 13px; font-weight: 600 } .small { font-size: 10px; fill: #666 }
  </style>
  <rect width="100%" height="100%" fill="#fff"/>
  <text x="22" y="24"><tspan fill="${LINES[0].color}">seconds a step</tspan> and <tspan fill="${
    LINES[1].color
  }">peak memory, GiB</tspan>, each from zero; SmolLM2-135M's sizes, one grows and the others stay</text>
  ${panels.join("\n  ")}
</svg>
`;
}

function panel(name: string, points: CostPoint[]): string {
  const { left, top, width, height } = PLOT, bottom = top + height;
  const x = (i: number) => left + width * i / (points.length - 1);
  const lines = LINES.map(({ color, value, unit }, l) => {
    const most = Math.max(...points.map(value)) * (l === 0 ? 1 : 1.25); // apart, where both end high
    const y = (point: CostPoint) => bottom - height * value(point) / most;
    const path = points.map((point, i) => `${x(i).toFixed(1)},${y(point).toFixed(1)}`).join(" ");
    const dots = points.map((point, i) =>
      `<circle cx="${x(i).toFixed(1)}" cy="${y(point).toFixed(1)}" r="2.5" fill="${color}"/>`
    ).join("");
    const last = points.at(-1)!, label = `${value(last).toFixed(1)} ${unit}`;
    return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1.5"/>${dots}
    <text x="${left + width + 6}" y="${
      (y(last) + 4).toFixed(1)
    }" style="fill:${color}">${label}</text>`;
  });
  const ticks = points.map(({ label }, i) =>
    `<text x="${x(i).toFixed(1)}" y="${bottom + 14}" text-anchor="${
      i === 0 ? "start" : i === points.length - 1 ? "end" : "middle"
    }" class="small">${shorter(label)}</text>`
  );
  return `<text x="${left}" y="26" class="title">${name}</text>
    <line x1="${left}" y1="${bottom}" x2="${left + width}" y2="${bottom}" stroke="#bbb"/>
    ${lines.join("\n    ")}
    ${ticks.join("")}`;
}

/** 2048 as "2k": four digits find no room. */
function shorter(label: string): string {
  const number = Number(label);
  return number >= 1024 && number % 1024 === 0 ? `${number / 1024}k` : label;
}
