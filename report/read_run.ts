import { dirname, join } from "node:path";
import { z } from "zod";
import {
  readEvaluation,
  readiness,
  readTable,
  type UnsupportedDetail,
  UserError,
  verdictOf,
} from "../mod.ts";
import { readPairs } from "../lib/evaluate/pairs_record.ts";
import { textOf } from "../lib/evaluate/write_texts.ts";
import { readJsonFile } from "../lib/io/read_json.ts";
import { exists } from "../lib/train/load_source.ts";
import { type RunView, type Sample, WRITERS } from "./run_view.ts";

const number = z.number("must be a number");
const metrics = z.record(z.string(), number, "must hold the metrics");

/** The shape of `dpo_training_stats.json`, as far as a page shows it. */
const statsSchema = z.looseObject({
  settings: z.looseObject({}, "must hold the settings"),
  versions: z.record(z.string(), z.string(), "must hold the versions"),
  backend: z.looseObject({}, "must describe what computed"),
  pairs_per_second: number.nullable(), // JSON has no other word for 0 / 0
  tokens_per_second: number.nullable(),
  elapsed_ms: number,
  peak_memory_bytes: number,
  epochs: z.array(
    z.looseObject({ epoch: number, step: number, train: metrics, validation: metrics.nullable() }),
    "must list the epochs",
  ),
  steps: z.array(
    z.looseObject({ step: number, loss: number }).catchall(number),
    "must list the steps",
  ),
});

/**
 * Gathers what a run left in its folder, and what an evaluation of it found, for a page.
 *
 * @param runDir What `train_dpo` wrote; its numbers may be missing where there is an evaluation.
 * @param evaluationPath An `evaluation.json`; `samples.jsonl` and `pairs.json` lie beside it.
 * @throws {UserError} when a file has another shape, or there is nothing to show.
 */
export async function readRun(runDir: string, evaluationPath?: string): Promise<RunView> {
  const statsPath = join(runDir, "dpo_training_stats.json");
  const hasStats = await exists(statsPath);
  if (!hasStats && evaluationPath === undefined) {
    throw new UserError(
      `Cannot report on "${runDir}": there is no dpo_training_stats.json in it, and no evaluation`,
      { path: runDir },
    );
  }
  const stats = hasStats ? await readJsonFile(statsPath, statsSchema) : null;
  const evaluation = evaluationPath === undefined ? null : await readEvaluation(evaluationPath);
  const folder = evaluationPath === undefined ? runDir : dirname(evaluationPath);
  const pairsPath = await firstThere([join(folder, "pairs.json"), join(runDir, "pairs.json")]);
  const samplesPath = join(folder, "samples.jsonl");
  const isDone = await exists(join(runDir, "final_model")) || !hasStats;
  return {
    name: runDir.replace(/[/\\]+$/, ""),
    state: isDone ? "finished" : "stopped",
    totalSteps: null,
    settings: stats?.settings ?? evaluation!.settings,
    versions: stats?.versions ?? evaluation!.versions,
    backend: stats?.backend ?? evaluation!.backend,
    cost: stats && stats.steps.length > 0
      ? {
        pairsPerSecond: stats.pairs_per_second ?? NaN,
        tokensPerSecond: stats.tokens_per_second ?? NaN,
        elapsedMs: stats.elapsed_ms,
        peakMemoryBytes: stats.peak_memory_bytes,
      }
      : null,
    steps: stats?.steps ?? [],
    epochs: stats?.epochs ?? [],
    evaluation,
    samples: evaluation && await exists(samplesPath) ? await readSamples(samplesPath) : [],
    pairs: pairsPath === undefined ? null : await readPairs(pairsPath),
    readiness: stats && readiness(stats, evaluation),
    verdict: evaluation && verdictOf(evaluation),
  };
}

async function firstThere(paths: string[]): Promise<string | undefined> {
  for (const path of paths) if (await exists(path)) return path;
}

const text = z.string("must be a text");
const message = z.object({ role: text, content: text });
const unsupported = z.array(z.looseObject({ kind: text, start: number, end: number }));
const sampleSchema = z.looseObject({
  prompt: z.union([text, z.array(message)], "must be a text or a list of messages"),
  reference: text,
  sft: text.optional(),
  dpo: text.optional(),
  control: text.optional(),
  sft_unsupported: unsupported.optional(),
  dpo_unsupported: unsupported.optional(),
  control_unsupported: unsupported.optional(),
});

/** Reads what models wrote, as `evaluate` lays it out. */
async function readSamples(path: string): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const [i, values] of (await readTable(path)).entries()) {
    const parsed = sampleSchema.safeParse(values);
    if (!parsed.success) {
      const [{ path: keys, message }] = parsed.error.issues;
      throw new UserError(
        `Cannot use "${path}" row ${i + 1}: "${keys.join(".")}" ${message}`,
        { path },
      );
    }
    const row = parsed.data, texts: Sample["texts"] = {};
    for (const writer of WRITERS) {
      const details = (row[`${writer}_unsupported`] ?? []) as UnsupportedDetail[];
      if (row[writer] !== undefined) texts[writer] = { text: row[writer], unsupported: details };
    }
    samples.push({ prompt: textOf(row.prompt), reference: row.reference, texts });
  }
  return samples;
}
