import { dpoLoss, type DpoLossOptions } from "../loss/dpo_loss.ts";
import {
  addPairs,
  createMetricSums,
  meanMetrics,
  type MetricSums,
} from "../loss/preference_metrics.ts";
import { tokenGradients } from "../model/token_gradients.ts";
import { packPairs } from "../tokenizer/token_batch.ts";
import type { PreferenceMetrics } from "../types.ts";
import { batchLosses } from "./batch_losses.ts";
import type { Models } from "./build_models.ts";
import { joinLogProbs, spreadSlopes, sumResponses } from "./pair_sums.ts";
import type { PreferenceBatch } from "./preference_batch.ts";
import { tokenSquares } from "./token_squares.ts";
import { addGradients } from "./trainable.ts";
import { updateStep, type UpdateStepOptions, zeroGradients } from "./update_step.ts";

/** Options of {@link dpoGradients}. */
export type DpoGradientsOptions = Omit<DpoLossOptions, "totalPairs" | "totalChosenTokens"> & {
  /** Compute each layer twice instead of keeping its tensors. */
  checkpointing?: boolean;
};

/** Options of {@link dpoStep}. */
export type DpoStepOptions = DpoGradientsOptions & Partial<UpdateStepOptions>;

/** What one step did: TRL's keys, and the tokens that passed through the model. */
export type DpoStepMetrics = PreferenceMetrics & {
  grad_norm: number;
  learning_rate: number;
  tokens: number;
};

/**
 * The gradient of the DPO loss over some micro-batches taken as one batch, and the sums that its
 * metrics are made from. The policy is not changed. One more forward pass is made for `useWeighting`,
 * and for `aot` and `aot_unpaired` over several micro-batches, whose pairs are compared all together.
 *
 * **Source**: arXiv 2305.18290, Eq. 7.
 * **Shapes and dtypes**: `gradients` are float32, one array a parameter, in the trainable's order.
 * **Memory**: gradients are in main memory; no tensor is left behind.
 *
 * @throws {UserError} when an option of the loss is out of its range.
 * @throws {RangeError} when weights are multiplied in bfloat16 and a batch was made to judge by (`exact`).
 */
export async function dpoGradients(
  models: Models,
  microBatches: PreferenceBatch[],
  options: DpoGradientsOptions,
): Promise<{ gradients: Float32Array[]; sums: MetricSums; tokens: number }> {
  const { checkpointing, ...own } = options,
    { network, trainable } = models,
    { precision } = network;
  const pairs = microBatches.flatMap((batch) => batch.pairs);
  const lossOptions = {
    ...own,
    totalPairs: pairs.length,
    totalChosenTokens: pairs.reduce((sum, pair) => sum + pair.chosen.length, 0),
  };
  if (precision !== "float32" && microBatches.some(({ exact }) => exact)) {
    throw new RangeError(
      `Cannot train in ${precision} against an exact reference: make the batch without "exact"`,
    );
  }
  const gradients = zeroGradients(models), sums = createMetricSums();
  const losses = await batchLosses(models, microBatches, lossOptions);
  let tokens = 0;
  for (const [i, { pairs, reference }] of microBatches.entries()) {
    const batch = packPairs(pairs), adapters = trainable.adapters();
    const squares = own.useWeighting
      ? sumResponses(batch, await tokenSquares(network, adapters, batch))
      : undefined;
    const slope = (logProbs: Float32Array) => {
      const policy = sumResponses(batch, logProbs);
      const pairLogProbs = joinLogProbs(pairs, policy, reference, squares);
      const loss = losses?.[i] ?? dpoLoss(pairLogProbs, lossOptions);
      addPairs(sums, { ...pairLogProbs, ...loss });
      return spreadSlopes(batch, loss);
    };
    const pass = await tokenGradients(network, adapters, batch, slope, { checkpointing });
    await addGradients(gradients, trainable.names, pass.gradients);
    tokens += batch.ids.length;
  }
  return { gradients, sums, tokens };
}

/**
 * One step of Direct Preference Optimization: forward and backward through the policy, clipping,
 * AdamW.
 *
 * **Source**: arXiv 2305.18290, Eq. 7; the gradient is written by hand, see lib/model/token_gradients.ts.
 * **Units**: log-probabilities in nats, summed over response tokens.
 * **Memory**: the models are changed in place; no tensor is left behind.
 *
 * @param batch pairs with the reference's log-probabilities, from `preferenceBatch`; several of them
 * are micro-batches whose gradients add up to the large batch's.
 * @returns the metrics before the step.
 * @throws {UserError} when an option of the loss is out of its range.
 *
 * @example A second step on the same pairs finds them better told apart.
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { encodePairs } from "../tokenizer/encode_all.ts";
 * import { buildModels } from "./build_models.ts";
 * import { dpoStep } from "./dpo_step.ts";
 * import { preferenceBatch } from "./preference_batch.ts";
 * const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const { rows } = encodePairs(models.tokenizer, triplets.slice(0, 4));
 * const batch = await preferenceBatch(models, rows);
 * const first = await dpoStep(models, batch, { beta: 0.1, learningRate: 1e-3 });
 * const second = await dpoStep(models, batch, { beta: 0.1, learningRate: 1e-3 });
 * assert(second["rewards/margins"] > first["rewards/margins"]);
 * ```
 */
export async function dpoStep(
  models: Models,
  batch: PreferenceBatch | PreferenceBatch[],
  options: DpoStepOptions,
): Promise<DpoStepMetrics> {
  const { learningRate = 5e-6, maxGradNorm, weightDecay, ...lossOptions } = options;
  const { gradients, sums, tokens } = await dpoGradients(models, [batch].flat(), lossOptions);
  const grad_norm = updateStep(models, gradients, { learningRate, maxGradNorm, weightDecay });
  return { ...meanMetrics(sums), grad_norm, learning_rate: learningRate, tokens };
}
