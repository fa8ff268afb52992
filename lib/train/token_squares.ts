import * as tf from "@tensorflow/tfjs";
import { alignTensor } from "../backend/aligned_rows.ts";
import { forProducts, weightProduct } from "../backend/half_matrix.ts";
import { headRowsAtOnce } from "../layers/head.ts";
import type { Adapters, Network } from "../model/network.ts";
import { readTokens } from "../model/read_tokens.ts";
import type { TokenBatch } from "../types.ts";

/**
 * `log sum_v p(v)^2` of the distribution that each predicted token of a batch is drawn from, `[n]` in
 * nats: how likely two draws from it are the same token. It is asked as `tokenLogProbs` is, and takes
 * a forward pass of its own.
 *
 * **Source**: arXiv 2406.11827 (WPO), the denominator of Eq. 2.
 * **Shapes and dtypes**: float32 `[n]`, in the order of the batch's `rows`.
 * **Memory**: no tensor is left behind.
 */
export async function tokenSquares(
  network: Network,
  adapters: Adapters | null,
  batch: TokenBatch,
  { exact = false }: { exact?: boolean } = {},
): Promise<Float32Array> {
  return await readTokens(
    { network, adapters, exact },
    batch,
    (hidden, weight) => logSquares(hidden, weight, exact),
  );
}

/** `log sum_v softmax(h W^T)_v^2`, some rows at a time. */
function logSquares(hidden: tf.Tensor2D, weight: tf.Tensor2D, exact: boolean): tf.Tensor1D {
  const rows = alignTensor(hidden), step = headRowsAtOnce(weight.shape[0]), parts: tf.Tensor[] = [];
  const matrix = forProducts(weight, { exact }); // once for all rows
  for (let start = 0; start < rows.shape[0]; start += step) {
    parts.push(tf.tidy(() => {
      const chunk = tf.slice(rows, [start, 0], [Math.min(step, rows.shape[0] - start), -1]);
      const logits = weightProduct(chunk, matrix, { transpose: true, exact });
      return tf.sub(tf.logSumExp(tf.mul(logits, 2), 1), tf.mul(tf.logSumExp(logits, 1), 2));
    }));
  }
  return tf.slice(tf.concat(parts as tf.Tensor1D[]), 0, hidden.shape[0]);
}
