import { join } from "node:path";
import { dpoLoss, type DpoLossOptions } from "../loss/dpo_loss.ts";
import type { LossType } from "../loss/loss_types.ts";
import type { EncodedPair } from "../types.ts";
import type { Models } from "./build_models.ts";
import { dpoGradients } from "./dpo_step.ts";
import { evaluate } from "./evaluate.ts";
import {
  createPreferenceGuards,
  type GuardedMetrics,
  lengthWarnings,
  settingsWarnings,
} from "./guards.ts";
import { meanMetrics } from "../loss/preference_metrics.ts";
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
export type TrainDpoOptions = Partial<TrainLoopOptions> & {
  /** How strongly the policy is held to the reference: larger is closer. Default 0.1. */
  beta?: number;
  lossType?: LossType | LossType[];
  lossWeights?: number[];
  labelSmoothing?: number;
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
  checkLoss(config);
  const { checkpoint, warnings } = await prepareRun(run, {
    ...loop,
    reads: [models.source.path, models.source.basePath],
    size: pairs.length,
    validationSize: options.validation?.length,
  });
  const { maxPositions } = models.network.config;
  warnings.push(...settingsWarnings(loop), ...lengthWarnings(pairs.map(longest), maxPositions));
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
  const spread = (values: Float64Array) => {
    const all = new Float64Array(pairs.length).fill(NaN);
    taken.forEach((row, i) => all[row] = values[i]);
    return all;
  };
  const { chosen, rejected } = reference;
  return { pairs, reference: { chosen: spread(chosen), rejected: spread(rejected) }, exact };
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
  { beta = 0.1, lossType = "sigmoid", lossWeights, labelSmoothing = 0 }: TrainDpoOptions,
): DpoConfig {
  const loss_type = [lossType].flat();
  return {
    beta,
    loss_type,
    loss_weights: lossWeights ?? loss_type.map(() => 1),
    label_smoothing: labelSmoothing,
    ...loopSettings(loop),
    ...modelSettings(models),
    data_sha256: hashJson(pairs),
  };
}

/** The loss that a run's settings describe. */
function lossOptions(config: DpoConfig): DpoLossOptions {
  return {
    beta: config.beta,
    lossType: config.loss_type as LossType[],
    lossWeights: config.loss_weights,
    labelSmoothing: config.label_smoothing,
  };
}

/** Tries the loss on one pair, so that a wrong option is told before the reference is asked. */
function checkLoss(config: DpoConfig): void {
  const sums = { chosen: [0], rejected: [0] };
  dpoLoss({
    policyChosen: sums.chosen,
    policyRejected: sums.rejected,
    referenceChosen: sums.chosen,
    referenceRejected: sums.rejected,
    chosenTokens: [1],
    rejectedTokens: [1],
  }, lossOptions(config));
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
  const guard = createPreferenceGuards(), loss = lossOptions(config), { checkpointing } = options;
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
