import type { Figure } from "../../lib/notebook/figure.ts";
import { figureSvg } from "../../lib/notebook/figure_svg.ts";
import { assert, assertEquals } from "../../lib/std.ts";

const line = (data: Figure["data"], layout: Figure["layout"] = {}) => figureSvg({ data, layout });
const pathsOf = (svg: string) => [...svg.matchAll(/<path d="(M[^"]*)" fill="none" stroke="#0/g)];

Deno.test("figureSvg() draws a line from corner to corner of its panel", () => {
  const axes = { xaxis: { range: [0, 10] }, yaxis: { range: [0, 1] } } satisfies Figure["layout"];
  const svg = line([{ x: [0, 5, 10], y: [0, 0.5, 1] }], axes);
  assertEquals(pathsOf(svg).map(([, path]) => path), ["M60 270L380 171L700 72"]);
});

Deno.test("figureSvg() leaves a gap where a point is no number or out of range", () => {
  const svg = line([{ x: [0, 1, 2, 3, 4], y: [0, 1, NaN, 1, 9] }], { yaxis: { range: [0, 2] } });
  assertEquals(pathsOf(svg).map(([, path]) => path.match(/[ML]/g)!.join("")), ["MLM"]);
});

Deno.test("figureSvg() escapes text from outside", () => {
  const svg = line([{ x: ["<b>"], y: [1], type: "bar" }], { title: { text: '<script>"&' } });
  assert(svg.includes("&lt;script&gt;&quot;&amp;") && svg.includes("&lt;b&gt;"));
  assert(!svg.includes("<script") && !svg.includes("<b>"));
});

Deno.test("figureSvg() stands panels side by side and shows a legend for several curves", () => {
  const svg = line([
    { x: [0, 1], y: [0, 1], name: "left" },
    { x: [0, 1], y: [5, 6], name: "right", xaxis: "x2", yaxis: "y2" },
  ], { xaxis: { domain: [0, 0.4] }, xaxis2: { domain: [0.6, 1] } });
  const [first, second] = [...svg.matchAll(/<path d="M([\d.]+) 72V270h([\d.]+)"/g)]
    .map(([, left, width]) => [Number(left), Number(width)]);
  assertEquals([first, second], [[60, 256], [444, 256]]);
  assert(svg.includes(">left</text>") && svg.includes(">right</text>"));
});

Deno.test("figureSvg() draws bars from zero, downwards where they are negative", () => {
  const svg = line([{ type: "bar", x: ["a", "b"], y: [2, -2] }], { yaxis: { range: [-2, 2] } });
  const bars = [
    ...svg.matchAll(/<rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)" fill="#0/g),
  ];
  assertEquals(bars.map(([, y, height]) => [y, height]), [["72", "99"], ["171", "99"]]);
});

Deno.test("figureSvg() is finite for constant, empty and logarithmic data", () => {
  for (const y of [[3, 3], [0, 0], []]) {
    const svg = line([{ x: [0, 1].slice(0, y.length), y }]);
    assert(!/NaN|Infinity/.test(svg), svg);
  }
  const svg = line([{ x: [1, 100], y: [1e-6, 1e6] }], { yaxis: { type: "log" } });
  assert(!/NaN|Infinity/.test(svg) && svg.includes(">1000</text>"));
});

Deno.test("figureSvg() turns the labels of an axis that asks for it", () => {
  const svg = line([{ type: "bar", x: ["a word"], y: [1] }], { xaxis: { tickangle: -60 } });
  assert(/transform="rotate\(-60 [\d.]+ [\d.]+\)">a word</.test(svg));
});
