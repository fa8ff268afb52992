import { createHash } from "node:crypto";
import { assert, assertEquals } from "../../lib/std.ts";
import { pageAssets } from "../../report/page_assets.ts";
import { renderReport } from "../../report/render_report.ts";
import type { RunView } from "../../report/run_view.ts";
import { HOSTILE, madeUpRun } from "./made_up_run.ts";

/** Pages without the library, which they carry unchanged. */
const assets = { ...await pageAssets(), plotly: "/* Plotly */" };
const page = renderReport([madeUpRun()], { assets });
const all = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, found]) => found);

/** A page's tags with their attributes' names, whose values are emptied. */
const tagsIn = (text: string) =>
  all(text, /(<[a-z][a-z0-9]*(?:\s+[a-z-]+(?:="[^"]*")?)*\s*>)/g).join("\n")
    .replaceAll(/="[^"]*"/g, '=""');

Deno.test("renderReport() names each place once, and its links and labels lead somewhere", () => {
  const ids = all(page, /\sid="([^"]*)"/g);
  assertEquals(new Set(ids).size, ids.length);
  for (const target of all(page, /href="#([^"]*)"/g)) assert(ids.includes(target), target);
  for (const target of all(page, /aria-labelledby="([^"]*)"/g)) {
    assert(ids.includes(target), target);
  }
  const levels = all(page, /<h([1-6])/g).map(Number);
  assertEquals(levels.filter((level) => level === 1).length, 1);
  levels.slice(1).forEach((level, i) =>
    assert(level <= levels[i] + 1, `h${level} after h${levels[i]}`)
  );
});

Deno.test("renderReport() has numbers and words beside every figure", () => {
  const figures = JSON.parse(all(page, /<script type="application\/json" id="figures">(.*?)</g)[0]);
  const places = all(page, /data-figure="([^"]*)"/g);
  assertEquals(Object.keys(figures).sort(), places.toSorted());
  assertEquals(places.length, 8 + 3 + 3 + 12);
  const alternatives = all(page, /role="img"\s+aria-label="([^"]*)"/g);
  assertEquals(alternatives.length, places.length);
  assert(alternatives.every((text) => text.length > 30));
  assertEquals(page.split("<summary>Numbers</summary>").length - 1, places.length);
});

Deno.test("renderReport() draws the sigmoid loss only where a run was trained with it", () => {
  const run = madeUpRun();
  const placesOf = (settings: RunView["settings"]) =>
    all(renderReport([{ ...run, settings }], { assets }), /data-figure="([^"]*)"/g);
  assert(page.includes("DPO&#39;s (sigmoid) loss without other terms"));
  const drawn = placesOf(run.settings), without = drawn.filter((id) => id !== "loss_of_margin");
  assertEquals(without.length, drawn.length - 1);
  assertEquals(placesOf({ ...run.settings, loss_type: ["ipo", "sigmoid_norm"] }), without);
  assertEquals(placesOf({ beta: 0.1 }), without); // what it was trained with is not known
});

Deno.test("renderReport() says of a pair the same in the table and token by token, of a tie too", () => {
  const ranks = new Map(
    [...page.matchAll(/data-row="(\d+)"[^>]*data-rank="(\w+)"/g)].map((
      [, row, rank],
    ) => [row, rank]),
  );
  const views = [...page.matchAll(
    /id="pair_(\d+)_view".*?margin\s<span class="(\w+)">[^<]*<\/span>([^<]*)<\/summary>/gs,
  )];
  assertEquals(views.length, 12);
  for (const [, row, rank] of views) assertEquals(rank, ranks.get(row), row);
  const remarks = new Map(views.map(([, , rank, remark]) => [rank, remark.trim()]));
  assertEquals([...remarks].sort(), [
    ...[["right", ""], ["tie", "tied"], ["wrong", "✗ ranked the wrong way"]],
  ]);
});

Deno.test("renderReport() lets only its own scripts run, and asks nobody for anything", () => {
  const [policy] = all(page, /Content-Security-Policy"\s+content="([^"]*)"/g);
  const hashes = all(page, /<script>(.*?)<\/script>/gs).map((script) =>
    `sha256-${createHash("sha256").update(script).digest("base64")}`
  );
  assertEquals(hashes.length, 2);
  for (const hash of hashes) assert(policy.includes(`&#39;${hash}&#39;`), policy);
  assert(policy.includes("default-src &#39;none&#39;"));
  assertEquals(all(page, /\s(?:src|href)="(?!#)([^"]*)"/g), []);
});

Deno.test("renderReport() writes hostile text as text", () => {
  const hostile = renderReport([madeUpRun({ hostile: true })], { assets });
  const tags = (text: string) => new Set(all(text, /<([a-z][a-z0-9]*)/g));
  assertEquals(tags(hostile), tags(page));
  const attributes = (text: string) => new Set(all(tagsIn(text), /\s([a-z-]+)="/g));
  assertEquals(attributes(hostile), attributes(page));
  assertEquals(hostile.split("<script").length, page.split("<script").length);
  for (const text of HOSTILE) {
    const words = text.match(/hacked = \d/)?.[0];
    if (words) assert(hostile.includes(words), words);
  }
});

Deno.test("renderReport() reloads the page of a run under way alone", () => {
  const running: RunView = { ...madeUpRun(), state: "running", totalSteps: 200, verdict: null };
  const live = renderReport([{ ...running, evaluation: null, samples: [] }], {
    ...{ assets, reloadSeconds: 30 },
  });
  assert(live.includes('data-reload="30"') && live.includes('max="200"'));
  assert(live.includes("under way") && !live.includes("finished"));
  assert(!renderReport([madeUpRun()], { assets, reloadSeconds: 30 }).includes("data-reload"));
});

Deno.test("renderReport() sets two runs side by side and says what differs", () => {
  const other = madeUpRun({ seed: 2 }), settings = { ...other.settings, beta: 0.5 };
  const two = renderReport([madeUpRun(), { ...other, name: "models/b", settings }], { assets });
  assert(two.includes("Two runs side by side") && two.includes("models/b"));
  const differing = two.slice(two.lastIndexOf("What differs"), two.lastIndexOf("all-settings"));
  assertEquals(all(differing, /<th scope="row"><bdi>(.*?)</g), ["beta"]);
});

Deno.test("renderReport() says so where there was no evaluation, and shows what there is", () => {
  const bare = { ...madeUpRun(), evaluation: null, verdict: null, pairs: null, samples: [] };
  const text = renderReport([{ ...bare, readiness: null }], { assets });
  assert(text.includes("What the model writes was not evaluated"));
  assert(!text.includes('id="pairs"') && !text.includes('id="writes"'));
  const empty = renderReport([{ ...bare, readiness: null, steps: [], epochs: [], cost: null }], {
    assets,
  });
  assert(!empty.includes('id="training"'));
});
