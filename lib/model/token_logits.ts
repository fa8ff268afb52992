import * as tf from "@tensorflow/tfjs";
import type { TokenBatch } from "../types.ts";
import { weightProduct } from "../backend/half_matrix.ts";
import type { Adapters, Network } from "./network.ts";
import { readTokens } from "./read_tokens.ts";

/**
 * The logits of each predicted token of a batch, row-major: what `tokenLogProbs` never holds all
 * at once, for looking at a few of them. Always float32 products.
 *
 * **Shapes and dtypes**: float32 `[n, V]`, rows in the order of the batch's `rows`.
 * **Memory**: `4 n V` bytes on the host, as much on the backend while it runs; no tensor is left behind.
 *
 * @example Less the logarithm of their exponentials' sum, logits are log-probabilities.
 * ```ts
 * import assert from "node:assert/strict";
 * import { packExamples } from "../tokenizer/token_batch.ts";
 * import { buildModels } from "../train/build_models.ts";
 * import { tokenLogits } from "./token_logits.ts";
 * import { tokenLogProbs } from "./token_log_probs.ts";
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const batch = packExamples([{ index: 0, prompt: [1, 5], completion: [7] }]);
 * const logits = await tokenLogits(models.network, null, batch);
 * const logSum = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
 * const [logProb] = await tokenLogProbs(models.network, null, batch);
 * assert(Math.abs(logits[7] - logSum - logProb) < 1e-4);
 * ```
 */
export async function tokenLogits(
  network: Network,
  adapters: Adapters | null,
  batch: TokenBatch,
): Promise<Float32Array> {
  return await readTokens(
    { network, adapters, exact: true },
    batch,
    (hidden, weight) => {
      const logits = weightProduct(hidden, weight, { transpose: true, exact: true });
      return tf.reshape<tf.Rank.R1>(logits, [-1]);
    },
  );
}
