import * as tf from "@tensorflow/tfjs";
import type { TokenBatch } from "../types.ts";
import { headForward } from "../layers/head.ts";
import type { Adapters, Network } from "./network.ts";
import { readTokens } from "./read_tokens.ts";

/**
 * The log-probability of each predicted token of a batch, `[n]` in nats. With `adapters` it is the
 * policy that answers, with `null` the reference; the weights are the same ones. `exact` computes in
 * float32 also where weights are multiplied in bfloat16: for evaluation, not beside a gradient.
 *
 * **Shapes and dtypes**: float32 `[n]`, in the order of the batch's `rows`.
 * **Memory**: no tensor is left behind.
 *
 * @example All tokens that could follow share a probability of 1; the one that follows has less.
 * ```ts
 * import assert from "node:assert/strict";
 * import { packExamples } from "../tokenizer/token_batch.ts";
 * import { buildModels } from "../train/build_models.ts";
 * import { tokenLogProbs } from "./token_log_probs.ts";
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const batch = packExamples([{ index: 0, prompt: [1, 5], completion: [7, 8, 2] }]);
 * const logProbs = await tokenLogProbs(models.network, null, batch);
 * assert.equal(logProbs.length, 3);
 * assert(logProbs.every((logProb) => logProb < 0));
 * ```
 */
export async function tokenLogProbs(
  network: Network,
  adapters: Adapters | null,
  batch: TokenBatch,
  { exact = false }: { exact?: boolean } = {},
): Promise<Float32Array> {
  const targets = () => tf.tensor1d(batch.targets, "int32");
  return await readTokens(
    { network, adapters, exact },
    batch,
    (hidden, weight) => headForward(hidden, weight, targets(), { unit: false, exact }).logProbs,
  );
}
