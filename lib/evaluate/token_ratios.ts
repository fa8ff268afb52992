import { tokenLogProbs } from "../model/token_log_probs.ts";
import { nextTurn } from "../next_turn.ts";
import { commonPrefixLength } from "../tokenizer/encode_pair.ts";
import { packPairs } from "../tokenizer/token_batch.ts";
import type { Models } from "../train/build_models.ts";
import type { EncodedPair, TokenBatch } from "../types.ts";

/** An answer's tokens as both models find them: log-probabilities in nats, one a token. */
export type AnswerTokens = { policy: number[]; reference: number[] };

/** A pair's answers token by token, and how many tokens they both begin with. */
export type PairTokens = { chosen: AnswerTokens; rejected: AnswerTokens; shared: number };

/** Options of {@link tokenRatios}. */
export type TokenRatiosOptions = {
  /** Pairs in memory at once; 8 unless given. */
  batchSize?: number;
  signal?: AbortSignal;
  onProgress?: (done: number) => void;
};

/**
 * What policy and reference make of each token of each answer: the difference of a token's
 * log-probabilities is what it adds to its answer's log-ratio, and beta times that is what it adds to
 * the margin (of the rejected answer: takes from it). Tokens that both answers begin with cancel.
 *
 * **Source**: arXiv 2305.18290, Eq. 7, whose sums are taken apart here.
 * **Units**: nats. In float32, whatever the weights rest in.
 * **Memory**: no tensor is left behind.
 *
 * @example An untrained policy finds every token as likely as the reference does.
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { encodePairs } from "../tokenizer/encode_all.ts";
 * import { buildModels } from "../train/build_models.ts";
 * import { tokenRatios } from "./token_ratios.ts";
 * const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const { rows } = encodePairs(models.tokenizer, triplets.slice(0, 2));
 * const [{ chosen, shared }] = await tokenRatios(models, rows);
 * assert.equal(chosen.policy.length, rows[0].chosen.length);
 * assert.deepEqual(chosen.policy, chosen.reference);
 * assert(shared > 0); // these answers differ in one detail
 * ```
 */
export async function tokenRatios(
  { network, trainable }: Pick<Models, "network" | "trainable">,
  pairs: readonly EncodedPair[],
  { batchSize = 8, signal, onProgress }: TokenRatiosOptions = {},
): Promise<PairTokens[]> {
  const found = new Array<PairTokens>(pairs.length);
  const length = (i: number) => pairs[i].prompt.length + pairs[i].chosen.length;
  const order = pairs.map((_, i) => i).sort((a, b) => length(a) - length(b));
  for (let start = 0; start < order.length; start += batchSize) {
    await nextTurn();
    signal?.throwIfAborted();
    const rows = order.slice(start, start + batchSize),
      batch = packPairs(rows.map((i) => pairs[i]));
    const ask = (adapters: Parameters<typeof tokenLogProbs>[1]) =>
      tokenLogProbs(network, adapters, batch, { exact: true });
    const reference = byAnswer(batch, await ask(null));
    const policy = byAnswer(batch, await ask(trainable.adapters()));
    rows.forEach((row, i) => {
      const both = (side: "chosen" | "rejected") => ({
        policy: policy[i][side],
        reference: reference[i][side],
      });
      const shared = commonPrefixLength(pairs[row].chosen, pairs[row].rejected);
      found[row] = { chosen: both("chosen"), rejected: both("rejected"), shared };
    });
    onProgress?.(Math.min(start + batchSize, order.length));
  }
  return found;
}

/** Values of a batch's predicted tokens as lists by answer, each in its answer's order. */
function byAnswer({ items, sides, size }: TokenBatch, values: Float32Array) {
  const answers = Array.from({ length: size }, () => ({
    chosen: [] as number[],
    rejected: [] as number[],
  }));
  values.forEach((value, i) => {
    if (sides[i] !== 2) answers[items[i]].chosen.push(value);
    if (sides[i] !== 1) answers[items[i]].rejected.push(value);
  });
  return answers;
}
