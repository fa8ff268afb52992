import type { Metrics, TrainEvent } from "../train/train_types.ts";
import { figureBundle, pictureBundle } from "./figure_bundle.ts";
import { type Broadcast, kernelBroadcast, settle, showBundle } from "./kernel.ts";
import { trainingFigure, type TrainingState } from "./training_figure.ts";

/** What a run was, for the cells that follow. */
export type WatchedRun = {
  /** Each step's numbers, by TRL's keys. */
  steps: Metrics[];
  /** What the held-out rows said at epochs' ends. */
  validation: { step: number; metrics: Metrics }[];
  warnings: string[];
  /** Checkpoint folders, in the order in which they were written. */
  checkpoints: string[];
  /** Whether it came to its end, or was stopped. */
  end: "finished" | "aborted";
};

/** One picture a second is enough for the eye, and little for the page. */
const REDRAW_MS = 1000;

/**
 * Runs a training to its end and shows it while it runs: curves, and the time that is left, in one
 * picture that is replaced once a second, so that a notebook never fills with lines. The last one is
 * Plotly's and can be zoomed.
 *
 * @param events What `trainDpo`, `trainSft` or `trainControl` yields; give it `stopSignal()` as its
 * `signal`, and the Stop button ends it with a checkpoint (where it has an `outputDir`).
 * @returns The run's numbers.
 * @throws what the training throws.
 *
 * @example In a cell it needs one argument; here the page is a list.
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { encodePairs } from "../tokenizer/encode_all.ts";
 * import { buildModels } from "../train/build_models.ts";
 * import { trainDpo } from "../train/train_dpo.ts";
 * import { watchTraining } from "./watch_training.ts";
 * const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const { rows } = encodePairs(models.tokenizer, triplets.slice(0, 8));
 * const sent: string[] = [];
 * const page = (type: string) => (sent.push(type), Promise.resolve());
 * const { steps, end } = await watchTraining(trainDpo(models, rows, { epochs: 1 }), page);
 * assert.deepEqual([steps.length, end], [2, "finished"]);
 * assert.equal(sent[0], "display_data");
 * assert.equal(sent.at(-1), "update_display_data");
 * ```
 */
export async function watchTraining(
  events: AsyncIterable<TrainEvent>,
  broadcast: Broadcast = kernelBroadcast(),
): Promise<WatchedRun> {
  const run: WatchedRun = {
    ...{ steps: [], validation: [], warnings: [], checkpoints: [], end: "aborted" },
  };
  const began = performance.now();
  const state: TrainingState & { sinceMs: number } = {
    ...{ ...run, totalSteps: 0, resumedStep: 0, elapsedMs: 0, end: undefined, sinceMs: began },
  };
  const draw = () => {
    state.elapsedMs = performance.now() - state.sinceMs;
    return trainingFigure(state);
  };
  const text = (words: string) => ({ "text/plain": words });
  const update = await showBundle(text("Asking the reference"), broadcast);
  let drawn = began;
  const isDue = () => performance.now() - drawn >= REDRAW_MS;
  for await (const event of events) {
    note(event, run, state);
    if (event.type === "reference" && isDue()) {
      await update(text(`The reference has read ${event.done} of ${event.total} pairs`));
      drawn = performance.now();
    }
    if (event.type === "step" && isDue()) {
      await update(pictureBundle(draw()));
      drawn = performance.now();
    }
  }
  state.end = run.end;
  await update(figureBundle(draw()));
  for (const warning of run.warnings) await showBundle(text(`Warning: ${warning}`), broadcast);
  await settle();
  return run;
}

/** Keeps what an event tells. */
function note(
  event: TrainEvent,
  run: WatchedRun,
  state: TrainingState & { sinceMs: number },
): void {
  switch (event.type) {
    case "start":
      state.totalSteps = event.steps;
      state.resumedStep = event.resumedStep;
      state.sinceMs = performance.now();
      break;
    case "step":
      run.steps.push(event.metrics);
      break;
    case "epoch":
      if (event.validation) {
        run.validation.push({ step: run.steps.at(-1)?.step ?? 0, metrics: event.validation });
      }
      break;
    case "checkpoint":
      run.checkpoints.push(event.path);
      break;
    case "warning":
      run.warnings.push(event.message);
      break;
    case "end":
      run.end = event.reason;
  }
}
