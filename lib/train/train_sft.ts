import { checkReach } from "../model/embedding.ts";
import { tokenGradients } from "../model/token_gradients.ts";
import { tokenLogProbs } from "../model/token_log_probs.ts";
import { nextTurn } from "../next_turn.ts";
import { packExamples } from "../tokenizer/token_batch.ts";
import type { EncodedExample } from "../types.ts";
import type { Models } from "./build_models.ts";
import { definedOnly } from "./defined_only.ts";
import { prepareRun } from "./prepare_run.ts";
import { hashJson } from "./reference_cache.ts";
import { lengthWarnings } from "./guards.ts";
import { loopSettings, modelSettings, recordSettings, runIdentity } from "./run_record.ts";
import { runTask } from "./run_task.ts";
import { writeModelFiles } from "./save_model.ts";
import { addGradients } from "./trainable.ts";
import { nameRows } from "./take_step.ts";
import {
  LOOP_DEFAULTS,
  type StepGradients,
  type TrainEvent,
  type TrainLoopOptions,
  type TrainTask,
} from "./train_types.ts";
import { zeroGradients } from "./update_step.ts";

/** Options of {@link trainSft}. */
export type TrainSftOptions = Partial<TrainLoopOptions> & {
  /** Compute each layer twice instead of keeping its tensors. */
  checkpointing?: boolean;
  /** Examples to judge by at each epoch's end. */
  validation?: EncodedExample[];
};

/** Defaults of a run, those of the command line. */
const DEFAULTS = { ...LOOP_DEFAULTS, batchSize: 8, learningRate: 2e-4 } as const;

/**
 * Stage A: teaches the model to write the completions (supervised fine-tuning), with an adapter or,
 * for models built with `allWeights`, with all weights. Yields what `trainDpo` yields, less the
 * reference. The loss is the mean over completion tokens.
 *
 * **Units**: loss in nats a token.
 * **Memory**: the models are changed in place; no tensor is left behind.
 *
 * @throws {UserError} when there is nothing to train on, the loss is not finite, a checkpoint is of
 * another run, or a file can't be written.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodeExamples } from "../tokenizer/encode_all.ts";
 * import { buildModels } from "./build_models.ts";
 * import { trainSft } from "./train_sft.ts";
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const example = { prompt: "Note: fever.\n\nSummary:", completion: " Fever." };
 * const { rows } = encodeExamples(models.tokenizer, [example]);
 * const losses: number[] = [];
 * for await (const event of trainSft(models, rows, { learningRate: 1e-2, epochs: 4 })) {
 *   if (event.type === "step") losses.push(event.metrics.loss);
 * }
 * assert(losses[3] < losses[0]);
 * ```
 */
export async function* trainSft(
  models: Models,
  examples: EncodedExample[],
  options: TrainSftOptions = {},
): AsyncGenerator<TrainEvent> {
  const loop: TrainLoopOptions = { ...DEFAULTS, ...definedOnly(options) };
  const config = {
    ...loopSettings(loop),
    ...modelSettings(models),
    data_sha256: hashJson(examples),
  };
  const run = runIdentity(config), { validation } = options;
  const { checkpoint, warnings } = await prepareRun(run, {
    ...loop,
    reads: [models.source.path, models.source.basePath],
    size: examples.length,
    validationSize: validation?.length,
  });
  const lengths = examples.map(({ prompt, completion }) => prompt.length + completion.length);
  const model = models.network.config;
  for (const length of lengths) checkReach(model, length - 1); // nothing follows the last token
  warnings.push(...lengthWarnings(lengths, model.maxPositions));
  for (const warning of warnings) yield { type: "warning", ...warning };
  const rows = { train: examples, validation };
  const settings = { ...config, ...recordSettings(models, rows, options) };
  const task: TrainTask = {
    models,
    size: examples.length,
    run,
    gradients: (microBatches) =>
      sftGradients(models, microBatches.map((rows) => rows.map((row) => examples[row])), options),
    validate: async () => validation ? { loss: await sftLoss(models, validation, loop) } : null,
    save: (folder) => writeModelFiles(models, folder, { "sft_config.json": settings }),
    nameRows: (rows) => nameRows(rows.map((row) => examples[row])),
    judge: () => [],
  };
  const stats = "sft_training_stats.json";
  yield* runTask(task, { ...loop, resumeFrom: checkpoint?.folder }, { stats, settings });
}

/** The gradient of the token-mean loss over micro-batches taken as one batch. */
export async function sftGradients(
  models: Models,
  microBatches: EncodedExample[][],
  { checkpointing }: { checkpointing?: boolean } = {},
): Promise<StepGradients> {
  const { network, trainable } = models, gradients = zeroGradients(models);
  const weight = microBatches.flat().reduce((sum, { completion }) => sum + completion.length, 0);
  let tokens = 0, loss = 0;
  for (const examples of microBatches) {
    const batch = packExamples(examples);
    const slope = (logProbs: Float32Array) => logProbs.map(() => -1 / weight);
    const pass = await tokenGradients(network, trainable.adapters(), batch, slope, {
      weights: trainable.allWeights,
      checkpointing,
    });
    await addGradients(gradients, trainable.names, pass.gradients);
    tokens += batch.ids.length;
    for (const logProb of pass.logProbs) loss -= logProb / weight;
  }
  return { gradients, metrics: { loss }, weight, tokens };
}

/** The token-mean loss of examples that are not trained on. */
export async function sftLoss(
  { network, trainable }: Models,
  examples: EncodedExample[],
  { batchSize, signal }: { batchSize: number; signal?: AbortSignal },
): Promise<number> {
  let sum = 0, count = 0;
  for (let start = 0; start < examples.length; start += batchSize) {
    await nextTurn();
    signal?.throwIfAborted();
    const batch = packExamples(examples.slice(start, start + batchSize));
    const logProbs = await tokenLogProbs(network, trainable.adapters(), batch, { exact: true });
    for (const logProb of logProbs) sum -= logProb;
    count += logProbs.length;
  }
  return sum / count;
}
