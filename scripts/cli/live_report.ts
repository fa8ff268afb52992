import { join } from "node:path";
import dpoKit from "../../deno.json" with { type: "json" };
import { describeBackend, type Metrics, type TrainEvent, UserError } from "../../mod.ts";
import { exists } from "../../lib/train/load_source.ts";
import { readRun } from "../../report/read_run.ts";
import type { RunCost, RunView } from "../../report/run_view.ts";
import { stepTimes } from "../../report/figures/training_curves.ts";
import type { ScriptIo } from "./run_script.ts";
import { writeReport } from "./write_report.ts";

/** How a run under way is shown. */
export type LiveReportOptions = {
  outputDir: string;
  /** Rewrites the page so often, if anything happened; 0: at the end alone. */
  everySeconds: number;
  /** The run's settings, as far as they are known before its end. */
  settings: Record<string, unknown>;
};

/**
 * Passes a run's events on, and meanwhile rewrites `report.html` in its folder. Of a run that was
 * stopped, or failed, the last page says that it is over and no longer reloads itself. Of a finished
 * one it still does: the page with the pairs, which are yet to be read, is its caller's to write, and
 * a browser that watches is to find it. A page that can't be written stops no training.
 */
export async function* liveReport(
  events: AsyncIterable<TrainEvent>,
  { outputDir, everySeconds, settings }: LiveReportOptions,
  io: Pick<ScriptIo, "now" | "note">,
): AsyncGenerator<TrainEvent> {
  const path = join(outputDir, "report.html");
  let run: RunView | null = null, writtenMs = 0, isFinished = false;
  const write = async () => {
    writtenMs = io.now();
    await writeReport(path, [{ ...run!, cost: costOf(run!.steps) }], everySeconds)
      .catch((error) => {
        if (!(error instanceof UserError)) throw error;
        io.note(`Warning: ${error.message}`);
      });
  };
  try {
    for await (const event of events) {
      if (event.type === "start") {
        run = await startedRun(event, { outputDir, settings });
        if (everySeconds > 0) {
          await write();
          io.note(`Watch it: ${path} in a browser, rewritten every ${everySeconds} s`);
        }
      }
      if (run) follow(run, event);
      isFinished ||= event.type === "end" && event.reason === "finished";
      yield event;
      const isDue = everySeconds > 0 && io.now() - writtenMs >= 1000 * everySeconds;
      if (run && isDue && run.state === "running") await write();
    }
  } finally {
    if (run) {
      if (!isFinished) run.state = "stopped";
      if (!isFinished || everySeconds > 0) await write();
    }
  }
}

/** A run at its start, with what an earlier part of it recorded. */
async function startedRun(
  { steps: totalSteps, resumedStep }: Extract<TrainEvent, { type: "start" }>,
  { outputDir, settings }: Pick<LiveReportOptions, "outputDir" | "settings">,
): Promise<RunView> {
  const hasBefore = resumedStep > 0 && await exists(join(outputDir, "dpo_training_stats.json"));
  const before = hasBefore ? await readRun(outputDir) : null;
  const isBefore = ({ step }: { step?: number }) => step !== undefined && step <= resumedStep;
  return {
    ...{ name: outputDir, state: "running", totalSteps, settings },
    versions: { "dpo-kit": dpoKit.version, deno: Deno.version.deno },
    backend: { ...describeBackend() },
    ...{ cost: null, evaluation: null, samples: [], pairs: null, readiness: null, verdict: null },
    steps: before?.steps.filter(isBefore) ?? [],
    epochs: before?.epochs.filter(isBefore) ?? [],
  };
}

/** Takes what happened into what is shown. */
function follow(run: RunView, event: TrainEvent): void {
  if (event.type === "step") {
    run.steps.push(event.metrics);
  } else if (event.type === "epoch") {
    const { epoch, train, validation } = event;
    run.epochs.push({ epoch, step: run.steps.at(-1)?.step ?? 0, train, validation });
  } else if (event.type === "end" && event.reason !== "finished") {
    run.state = "stopped";
  }
}

/** What the steps took so far; memory is known at the end. */
function costOf(steps: readonly Metrics[]): RunCost | null {
  const last = steps.at(-1);
  return last === undefined ? null : {
    pairsPerSecond: last.pairs_per_second,
    tokensPerSecond: last.tokens_per_second,
    elapsedMs: 1000 * stepTimes(steps).reduce((sum, seconds) => sum + seconds, 0),
    peakMemoryBytes: 0,
  };
}
