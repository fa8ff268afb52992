import { tokenLogProbs } from "../model/token_log_probs.ts";
import { nextTurn } from "../next_turn.ts";
import { packPairs } from "../tokenizer/token_batch.ts";
import type { EncodedPair } from "../types.ts";
import type { Models } from "./build_models.ts";
import { makeSums, type PairSums, sumResponses } from "./pair_sums.ts";

/** Options of {@link scorePairs}. */
export type ScorePairsOptions = {
  /** Whether the policy (`true`) or the reference answers. */
  adapter: boolean;
  batchSize: number;
  /** In float32, whatever the weights rest in, as `tokenLogProbs` says; the default. */
  exact?: boolean;
  signal?: AbortSignal;
  /** What is summed: the tokens' log-probabilities unless given, or `tokenSquares`. */
  measure?: typeof tokenLogProbs;
};

/**
 * The summed log-probabilities of each pair's responses, in the order of `pairs`. Pairs of similar
 * length share a batch; policy and reference share the batches, so that equal weights give equal
 * numbers to the last bit.
 *
 * **Units**: nats, summed over response tokens with EOS.
 * **Memory**: no tensor is left behind.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { encodePairs } from "../tokenizer/encode_all.ts";
 * import { buildModels } from "./build_models.ts";
 * import { scorePairs } from "./score_pairs.ts";
 * const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const { rows } = encodePairs(models.tokenizer, triplets.slice(0, 4));
 * const reference = await scorePairs(models, rows, { adapter: false, batchSize: 4 });
 * assert(reference.chosen.every((logProb) => logProb < 0)); // a text's probability is below 1
 * const policy = await scorePairs(models, rows, { adapter: true, batchSize: 4 });
 * assert.deepEqual(policy, reference); // nothing is trained yet
 * ```
 */
export async function scorePairs(
  models: Pick<Models, "network" | "trainable">,
  pairs: readonly EncodedPair[],
  { onProgress, ...options }: ScorePairsOptions & { onProgress?: (done: number) => void },
): Promise<PairSums> {
  const batches = scoreBatches(models, pairs, options);
  for (;;) {
    const { done, value } = await batches.next();
    if (done) return value;
    onProgress?.(value);
  }
}

/** {@link scorePairs} a batch at a time: yields how many pairs are done. */
export async function* scoreBatches(
  models: Pick<Models, "network" | "trainable">,
  pairs: readonly EncodedPair[],
  { adapter, batchSize, exact = true, signal, measure = tokenLogProbs }: ScorePairsOptions,
): AsyncGenerator<number, PairSums> {
  const scores = makeSums(() => new Float64Array(pairs.length));
  const order = pairs.map((_, i) => i).sort((a, b) => pairLength(pairs[a]) - pairLength(pairs[b]));
  for (let start = 0; start < order.length; start += batchSize) {
    await nextTurn();
    signal?.throwIfAborted();
    const rows = order.slice(start, start + batchSize);
    const batch = packPairs(rows.map((row) => pairs[row]));
    const adapters = adapter ? models.trainable.adapters() : null;
    const sums = sumResponses(batch, await measure(models.network, adapters, batch, { exact }));
    for (const [name, values] of Object.entries(scores) as [keyof PairSums, Float64Array][]) {
      rows.forEach((row, i) => values[row] = sums[name][i]);
    }
    yield Math.min(start + batchSize, order.length);
  }
  return scores;
}

function pairLength({ prompt, chosen, rejected }: EncodedPair): number {
  return prompt.length + chosen.length + rejected.length;
}
