import { join } from "node:path";
import { chooseLosses, type LossOptions } from "../loss/loss_options.ts";
import { checkReach } from "../model/embedding.ts";
import type { EncodedPair } from "../types.ts";
import type { Models } from "./build_models.ts";
import { dpoGradients } from "./dpo_step.ts";
import { evaluate } from "./evaluate.ts";
import {
  createPreferenceGuards,
  type GuardedMetrics,
  lengthWarnings,
  settingsWarnings,
  startWarnings,
} from "./guards.ts";
import { meanMetrics } from "../loss/preference_metrics.ts";
import { lossOf, lossSettings } from "./loss_settings.ts";
import { makeSums } from "./pair_sums.ts";
import { pickPairs, type PreferenceBatch } from "./preference_batch.ts";
import { rowsTaken } from "./plan_run.ts";
import { prepareRun } from "./prepare_run.ts";
import { hashJson, referenceBatch } from "./reference_cache.ts";
import { writeModelFiles } from "./save_model.ts";
import { nameRows } from "./take_step.ts";
import {
  LOOP_DEFAULTS,
  type TrainEvent,
  type TrainLoopOptions,
  type TrainTask,
} from "./train_types.ts";
import {
  type DpoConfig,
  loopSettings,
  modelSettings,
  recordSettings,
  runIdentity,
} from "./run_record.ts";
import { runTask } from "./run_task.ts";
import { freshState } from "./train_state.ts";
import { definedOnly } from "./defined_only.ts";

/** Options of {@link trainDpo}. */
export type TrainDpoOptions = Partial<TrainLoopOptions & LossOptions> & {
  checkpointing?: boolean;
  /** Pairs to judge by at each epoch's end. */
  validation?: EncodedPair[];
};

/** Defaults of a run, those of the command line. */
export const DPO_DEFAULTS = { ...LOOP_DEFAULTS, batchSize: 4, learningRate: 5e-6 } as const;

/**
 * Trains the policy on preference pairs and yields what happens: `start`, `reference`, `step`,
 * `epoch`, `checkpoint`, `warning`, `end`. The reference's log-probabilities are computed once. With
 * `outputDir` it writes checkpoints, `final_model/` and `dpo_training_stats.json`; an aborted
 * `signal` ends it after the step under way, with a checkpoint that `resumeFrom` goes on from.
 *
 * **Source**: arXiv 2305.18290; the defaults are the usual ones for LoRA on a mid-sized model.
 * **Units**: learning rate per step; log-probabilities in nats; times in ms.
 * **Memory**: the models are changed in place; no tensor is left behind.
 *
 * @throws {UserError} when there is nothing to train on, an option is out of its range, the loss is
 * not finite, a checkpoint is of another run, or a file can't be written.
 *
 * @example The first loss is ln 2, for the policy starts as the reference.
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { encodePairs } from "../tokenizer/encode_all.ts";
 * import { buildModels } from "./build_models.ts";
 * import { trainDpo } from "./train_dpo.ts";
 * const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const { rows } = encodePairs(models.tokenizer, triplets.slice(0, 4));
 * const losses: number[] = [];
 * const options = { learningRate: 1e-3, warmupRatio: 0, epochs: 4 };
 * for await (const event of trainDpo(models, rows, options)) {
 *   if (event.type === "step") losses.push(event.metrics.loss);
 * }
 * assert.equal(losses[0].toFixed(4), "0.6931");
 * assert(losses[3] < losses[0]);
 * ```
 */
export async function* trainDpo(
  models: Models,
  pairs: EncodedPair[],
  options: TrainDpoOptions = {},
): AsyncGenerator<TrainEvent> {
  const loop: TrainLoopOptions = { ...DPO_DEFAULTS, ...definedOnly(options) };
  const config = dpoConfig(models, pairs, loop, options), run = runIdentity(config);
  chooseLosses(lossOf(config)); // throws before the reference is asked
  const { checkpoint, warnings } = await prepareRun(run, {
    ...loop,
    reads: [models.source.path, models.source.basePath],
    size: pairs.length,
    validationSize: options.validation?.length,
  });
  const model = models.network.config, lengths = pairs.map(longest);
  for (const length of lengths) checkReach(model, length - 1); // nothing follows the last token
  warnings.push(
    ...settingsWarnings(loop),
    ...startWarnings(lossOf(config)),
    ...lengthWarnings(lengths, model.maxPositions),
  );
  for (const warning of warnings) yield { type: "warning", ...warning };
  const taken = rowsTaken(pairs.length, loop), asked = taken.map((row) => pairs[row]);
  const known = yield* withReference(models, asked, loop, "reference_train.json");
  const train = known && spreadOver(pairs, taken, known);
  const validation = options.validation && train &&
    (yield* withReference(models, options.validation, loop, "reference_validation.json", true));
  if (loop.signal?.aborted || !train) {
    const state = checkpoint?.state ?? freshState(run);
    return yield { type: "end", reason: "aborted", step: state.step, state };
  }
  const rows = { train: pairs, validation: options.validation };
  const settings = { ...config, ...recordSettings(models, rows, options) };
  const parts = { train, validation: validation ?? undefined, config, settings, loop, options };
  const task = dpoTask(models, parts), stats = "dpo_training_stats.json";
  yield* runTask(task, { ...loop, resumeFrom: checkpoint?.folder }, { stats, settings });
}

/** Tokens of a pair's longer sequence. */
function longest({ prompt, chosen, rejected }: EncodedPair): number {
  return prompt.length + Math.max(chosen.length, rejected.length);
}

/** A batch of all pairs from that of the `taken` ones: the others have no number, nor need any. */
function spreadOver(
  pairs: EncodedPair[],
  taken: number[],
  { reference, exact }: PreferenceBatch,
): PreferenceBatch {
  const spread = makeSums((name) => {
    const all = new Float64Array(pairs.length).fill(NaN);
    taken.forEach((row, i) => all[row] = reference[name][i]);
    return all;
  });
  return { pairs, reference: spread, exact };
}

/** Asks the reference about all pairs; null when the user stopped it. */
async function* withReference(
  models: Models,
  pairs: EncodedPair[],
  { batchSize, outputDir, signal }: TrainLoopOptions,
  name: string,
  exact = false,
): AsyncGenerator<TrainEvent, PreferenceBatch | null> {
  const cachePath = outputDir && join(outputDir, name), total = pairs.length;
  const batches = referenceBatch(models, pairs, { batchSize, cachePath, exact, signal });
  try {
    for (;;) {
      const { done, value } = await batches.next();
      if (done) return value;
      yield { type: "reference", done: value, total };
    }
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return null;
    throw error;
  }
}

function dpoConfig(
  models: Models,
  pairs: EncodedPair[],
  loop: TrainLoopOptions,
  options: TrainDpoOptions,
): DpoConfig {
  return {
    ...lossSettings(options),
    ...loopSettings(loop),
    ...modelSettings(models),
    data_sha256: hashJson(pairs),
  };
}

type DpoTaskParts = {
  train: PreferenceBatch;
  validation?: PreferenceBatch;
  config: DpoConfig;
  /** What is recorded: `config` and more. */
  settings: Record<string, unknown>;
  loop: TrainLoopOptions;
  options: TrainDpoOptions;
};

function dpoTask(models: Models, parts: DpoTaskParts): TrainTask {
  const { train, validation, config, settings, loop, options } = parts;
  const guard = createPreferenceGuards(), loss = lossOf(config), { checkpointing } = options;
  return {
    models,
    size: train.pairs.length,
    run: runIdentity(config),
    async gradients(microBatches) {
      const batches = microBatches.map((rows) => pickPairs(train, rows));
      const result = await dpoGradients(models, batches, { ...loss, checkpointing });
      const { pairs, ...metrics } = meanMetrics(result.sums);
      return { ...result, metrics, weight: pairs };
    },
    async validate() {
      if (!validation) return null;
      return await evaluate(models, validation, {
        ...loss,
        batchSize: loop.batchSize,
        signal: loop.signal,
      });
    },
    save: (folder) => writeModelFiles(models, folder, { "dpo_config.json": settings }),
    nameRows: (rows) => nameRows(rows.map((row) => train.pairs[row])),
    judge: ({ metrics, weight }, progress) =>
      guard({ ...metrics, pairs: weight } as GuardedMetrics, progress),
  };
}
