import { initAdamW, updateAdamW } from "../optim/adamw.ts";
import { clipByGlobalNorm } from "../optim/clip.ts";
import type { Models } from "./build_models.ts";

/** Options of an optimiser step. */
export type UpdateStepOptions = {
  learningRate: number;
  /** Gradients longer than this, all taken as one vector, are scaled down to it; 0: never. Default 1. */
  maxGradNorm?: number;
  weightDecay?: number;
};

/**
 * Clips the gradients, takes one AdamW step with them and brings the new numbers to the backend.
 * Nothing is changed when the gradient is not finite.
 *
 * @returns the gradients' norm before clipping.
 */
export function updateStep(
  models: Models,
  gradients: Float32Array[],
  { learningRate, maxGradNorm = 1, weightDecay = 0 }: UpdateStepOptions,
): number {
  const norm = clipByGlobalNorm(gradients, maxGradNorm > 0 ? maxGradNorm : Infinity);
  if (!Number.isFinite(norm)) return norm;
  models.optimizer ??= initAdamW(models.trainable.values);
  updateAdamW(models.trainable.values, gradients, models.optimizer, { learningRate, weightDecay });
  models.trainable.refresh();
  return norm;
}

/** Zeros in the shape of what is trained, for gradients to be added to. */
export function zeroGradients(models: Models): Float32Array[] {
  return models.trainable.values.map((values) => new Float32Array(values.length));
}
