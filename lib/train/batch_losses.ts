import { dpoLoss, type DpoLossOptions, type DpoLossResult } from "../loss/dpo_loss.ts";
import { comparesPairs, type LossOptions } from "../loss/loss_options.ts";
import { tokenLogProbs } from "../model/token_log_probs.ts";
import { packPairs } from "../tokenizer/token_batch.ts";
import type { Models } from "./build_models.ts";
import { joinLogProbs, makeSums, type PairSums, sumResponses } from "./pair_sums.ts";
import type { PreferenceBatch } from "./preference_batch.ts";

/** What {@link dpoLoss} says of each pair. */
export type PairLosses = Omit<DpoLossResult, "loss">;

/**
 * The losses of micro-batches that are one batch, where a pair's loss depends on the whole of it:
 * they take a forward pass of their own, after which each micro-batch knows its slopes. Null where
 * each can be judged when its turn comes.
 */
export async function batchLosses(
  { network, trainable }: Models,
  microBatches: PreferenceBatch[],
  options: DpoLossOptions,
): Promise<PairLosses[] | null> {
  if (microBatches.length === 1 || !comparesPairs(options)) return null;
  const policies: PairSums[] = [];
  for (const { pairs } of microBatches) {
    const batch = packPairs(pairs);
    policies.push(sumResponses(batch, await tokenLogProbs(network, trainable.adapters(), batch)));
  }
  const pairs = microBatches.flatMap((batch) => batch.pairs);
  const policy = joinSums(policies), reference = joinSums(microBatches.map((b) => b.reference));
  const whole = dpoLoss(joinLogProbs(pairs, policy, reference), options);
  let end = 0;
  return microBatches.map(({ pairs }) => cutLoss(whole, end, end += pairs.length));
}

/** Forward passes that a loss takes beside any loss' own: with each step, and when it judges. */
export function extraForwards(
  loss: Pick<LossOptions, "lossType" | "useWeighting">,
  gradientAccumulationSteps: number,
): { step: number; judging: number } {
  const weighs = Number(loss.useWeighting ?? false);
  const looksAhead = gradientAccumulationSteps > 1 && comparesPairs(loss);
  return { step: weighs + Number(looksAhead), judging: weighs };
}

function joinSums(parts: PairSums[]): PairSums {
  return makeSums((name) => Float64Array.from(parts.flatMap((part) => [...part[name]])));
}

/** The part of a batch's losses that some of its pairs have. */
function cutLoss({ loss: _, ...losses }: DpoLossResult, start: number, end: number): PairLosses {
  const cut = Object.entries(losses).map(([name, values]) => [name, values.slice(start, end)]);
  return Object.fromEntries(cut) as PairLosses;
}
