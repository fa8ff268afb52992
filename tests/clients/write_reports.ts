/**
 * Our side of test_report.py: pages of made-up runs, and their figures for the whole Plotly library.
 *
 *     deno run -A tests/clients/write_reports.ts FOLDER
 */
import { join } from "node:path";
import { pageAssets } from "../../report/page_assets.ts";
import { renderReport } from "../../report/render_report.ts";
import { madeUpRun } from "../report/made_up_run.ts";

const [folder] = Deno.args, assets = await pageAssets();
const run = madeUpRun(), other = { ...madeUpRun({ seed: 2 }), name: "models/other" };
const hostile = madeUpRun({ hostile: true });
const running = { ...run, state: "running" as const, totalSteps: 200 };
const bare = { ...run, evaluation: null, verdict: null, pairs: null, samples: [], readiness: null };
const pages = {
  plain: renderReport([run], { assets }),
  hostile: renderReport([hostile], { assets }),
  two: renderReport([run, other], { assets }),
  two_hostile: renderReport([hostile, hostile], { assets }),
  running: renderReport([running], { assets, reloadSeconds: 1 }),
  bare: renderReport([bare], { assets }),
};
for (const [name, page] of Object.entries(pages)) {
  await Deno.writeTextFile(join(folder, `${name}.html`), page);
}
const library = new URL(import.meta.resolve("plotly.js-dist"));
await Deno.copyFile(library, join(folder, "plotly.js"));
