/**
 * Draws the README's picture, `docs/demo.svg`, from what `deno task demo` measured:
 *
 *   deno run -q --allow-read=models/demo --allow-write=docs docs/draw_demo.ts
 */
import type { DemoResult } from "../scripts/cli/demo_result.ts";

const WIDTH = 720, LEFT = 190, BAR_HEIGHT = 30, ROW = 52, TOP = 74;
const COLORS = ["#8b8b8b", "#1f77b4", "#c4a35a"];

const { notes, models }: DemoResult = JSON.parse(
  Deno.readTextFileSync("models/demo/demo_result.json"),
);
const shares = models.map(({ sampledNotesWithWrongDetail }) => sampledNotesWithWrongDetail / notes);
const scale = (WIDTH - LEFT - 120) / Math.max(...shares);
const height = TOP + ROW * models.length + 26;

const bars = models.map(({ name, recall }, i) => {
  const y = TOP + ROW * i, width = Math.max(1, shares[i] * scale);
  return `<text x="${LEFT - 14}" y="${y + 20}" text-anchor="end" class="name">${name}</text>
  <rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="3" fill="${
    COLORS[i]
  }"/>
  <text x="${LEFT + width + 10}" y="${y + 20}" class="value">${percent(shares[i])}</text>
  <text x="${LEFT - 14}" y="${y + 36}" text-anchor="end" class="small">recall ${
    percent(recall)
  }</text>`;
});

Deno.writeTextFileSync(
  "docs/demo.svg",
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img"
  aria-label="Share of sampled summaries with a wrong detail">
  <style>
    text { font-family: system-ui, sans-serif; fill: #222 }
    .title { font-size: 18px; font-weight: 600 } .name { font-size: 15px }
    .value { font-size: 16px; font-weight: 600 } .small { font-size: 12px; fill: #666 }
  </style>
  <rect width="${WIDTH}" height="${height}" fill="#fff"/>
  <text x="20" y="32" class="title">Summaries with a wrong detail</text>
  <text x="20" y="54" class="small">${notes} unseen notes, sampled at temperature 1; by deno task demo</text>
  ${bars.join("\n  ")}
</svg>
`,
);

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
