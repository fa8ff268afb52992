import { join } from "node:path";
import { pairsRecord } from "../../lib/evaluate/pairs_record.ts";
import { writeFileAtomic } from "../../lib/io/write_atomic.ts";
import type { EncodedPair, Models, Triplet } from "../../mod.ts";
import { pageAssets } from "../../report/page_assets.ts";
import { renderReport } from "../../report/render_report.ts";
import type { RunView } from "../../report/run_view.ts";
import type { Flags } from "./flags.ts";
import type { ScriptIo } from "./run_script.ts";

/** What pages are made of, beside numbers that are there anyway. */
export const reportFlags = {
  report_pairs: {
    type: "integer",
    min: 0,
    default: 100,
    help: "Reads so many held-out pairs for report.html once more, two dozen of them shown token " +
      "by token; 0: none",
  },
} satisfies Flags;

/** Writes a page of a run, or of two; that of a run under way reloads itself. */
export async function writeReport(
  path: string,
  runs: readonly [RunView, RunView?],
  reloadSeconds?: number,
): Promise<void> {
  await writeFileAtomic(path, renderReport(runs, { assets: await pageAssets(), reloadSeconds }));
}

/** Writes `pairs.json` into a folder; an old one, of another model maybe, goes first. */
export async function writePairs(
  folder: string,
  models: Models,
  { triplets, rows, beta, most }: {
    triplets: readonly Triplet[];
    rows: readonly EncodedPair[];
    beta: number;
    most: number;
  },
  io: ScriptIo,
): Promise<void> {
  const path = join(folder, "pairs.json"), total = Math.min(most, rows.length);
  await Deno.remove(path).catch(() => {});
  if (total === 0) return;
  const progress = io.progress({ label: "Pairs for the report", total, unit: "pairs" });
  const record = await pairsRecord(models, { triplets, rows }, {
    ...{ beta, most, signal: io.signal },
    onProgress: (done) => progress.update({ done }),
  }).finally(() => progress.end());
  await writeFileAtomic(path, JSON.stringify(record) + "\n");
}
