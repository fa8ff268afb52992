/**
 * How the cost of a step grows with each of its sizes, the others held: time and peak memory, a
 * process a point. Prints tables for docs/cost.md and writes its figure, docs/cost.svg.
 *
 *     deno run -q -A bench/cost_growth.ts
 */
import type { CostSetting } from "./cost_point.ts";
import { type CostPoint, drawCost } from "./draw_cost.ts";

const BASE: CostSetting = {
  ...{ layers: 30, vocabulary: 49_152, batch: 4, prompt: 256, response: 64, rank: 8 },
  ...{ targets: ["q_proj", "v_proj"], checkpointing: false },
};
const ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"];
/** What grows, and by which settings; a label where the number doesn't say it. */
const SERIES: Record<string, [label: string, change: Partial<CostSetting>][]> = {
  "batch, pairs": [1, 2, 4, 8, 16].map((batch) => [`${batch}`, { batch, prompt: 128 }]),
  "prompt, tokens (batch 1)": [64, 128, 256, 512, 1024, 2048].map((prompt) => [
    `${prompt}`,
    { prompt, batch: 1 },
  ]),
  "the same, checkpointing": [64, 128, 256, 512, 1024, 2048].map((prompt) => [
    `${prompt}`,
    { prompt, batch: 1, checkpointing: true },
  ]),
  "response, tokens": [16, 64, 256, 512].map((response) => [`${response}`, { response }]),
  "rank": [4, 8, 32, 128].map((rank) => [`${rank}`, { rank }]),
  "adapted": [
    ["q, v", {}],
    ["q, k, v, o", { targets: ATTENTION }],
    ["all-linear", { targets: ["all-linear"] }],
  ],
  "layers": [4, 8, 15, 30].map((layers) => [`${layers}`, { layers }]),
  "vocabulary": [1024, 8192, 49_152, 131_072].map((
    vocabulary,
  ) => [`${vocabulary}`, { vocabulary }]),
};

const POINT = new URL("./cost_point.ts", import.meta.url).pathname;
const all: Record<string, CostPoint[]> = {};
for (const [name, points] of Object.entries(SERIES)) {
  all[name] = [];
  console.log(
    `\n| ${name} | tokens | s a step | ms a token | peak GiB |\n| --- | ---: | ---: | ---: | ---: |`,
  );
  for (const [label, change] of points) {
    const point = { label, ...await measure({ ...BASE, ...change }) };
    all[name].push(point);
    const { tokens, seconds, peak } = point, perToken = 1000 * seconds / tokens;
    const cells = [
      label,
      tokens,
      seconds.toFixed(2),
      perToken.toFixed(2),
      (peak / 2 ** 30).toFixed(2),
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}
await Deno.writeTextFile(new URL("../docs/cost.svg", import.meta.url), drawCost(all));

async function measure(setting: CostSetting): Promise<Omit<CostPoint, "label">> {
  const args = ["run", "-q", "-A", POINT, JSON.stringify(setting)];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
}
