import * as tf from "@tensorflow/tfjs";
import { forProducts, weightProduct } from "../backend/half_matrix.ts";
import { alignedRows, alignTensor } from "../backend/aligned_rows.ts";
import { crossEntropy } from "../backend/cross_entropy.ts";

/** Logits held at once, as numbers: 16 MiB of float32, and their gradient beside them. */
const CHUNK_NUMBERS = 1 << 22;

/**
 * The log-probability of each target under `softmax(h W^T)`, and on request `unit` `[n, D]`, each
 * row's `d(-log p) / dh`: scaling its rows later gives any loss' gradient without keeping `[n, V]`
 * probabilities. `h` is `[n, D]`, `weight` `[V, D]`, `targets` `[n]`.
 */
export function headForward(
  h: tf.Tensor2D,
  weight: tf.Tensor2D,
  targets: tf.Tensor1D,
  { unit, exact }: { unit: boolean; exact?: boolean },
): { logProbs: tf.Tensor1D; unit?: tf.Tensor2D } {
  const count = h.shape[0];
  return tf.tidy(() => {
    const allRows = alignTensor(h), allTargets = alignTensor(targets);
    const matrix = forProducts(weight, { exact }); // once for all chunks
    const parts = chunks(allRows.shape[0], weight.shape[0]).map(([start, size]) =>
      tf.tidy(() => {
        const rows = tf.slice(allRows, [start, 0], [size, -1]);
        const logits = weightProduct(rows, matrix, { transpose: true, exact });
        const { loss, gradient } = crossEntropy(logits, tf.slice(allTargets, start, size));
        const logProbs = tf.neg(loss);
        return { logProbs, ...(unit && { unit: weightProduct(gradient, matrix) }) };
      })
    );
    const logProbs = tf.slice(tf.concat(parts.map((part) => part.logProbs)), 0, count);
    if (!unit) return { logProbs };
    const units = tf.concat(parts.map((part) => part.unit!), 0);
    return { logProbs, unit: tf.slice(units, [0, 0], [count, -1]) };
  });
}

/** `dh` from the loss' gradient with respect to each log-probability, `[n]`. */
export function headBackward(dLogProbs: tf.Tensor1D, unit: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(unit, tf.expandDims(tf.neg(dLogProbs), 1));
}

/** `dW` `[V, D]` of a trained head; the logits are computed again. */
export function headWeightGradient(
  dLogProbs: tf.Tensor1D,
  h: tf.Tensor2D,
  weight: tf.Tensor2D,
  targets: tf.Tensor1D,
): tf.Tensor2D {
  let sum: tf.Tensor2D = tf.zerosLike(weight);
  const allRows = alignTensor(h), allTargets = alignTensor(targets);
  const slopes = alignTensor(dLogProbs); // with slope 0 a row adds nothing
  for (const [start, size] of chunks(allRows.shape[0], weight.shape[0])) {
    const next = tf.tidy(() => {
      const rows = tf.slice(allRows, [start, 0], [size, -1]);
      const logits = tf.matMul<tf.Tensor2D>(rows, weight, false, true);
      const { gradient } = crossEntropy(logits, tf.slice(allTargets, start, size));
      const scaled = tf.mul(gradient, tf.expandDims(tf.neg(tf.slice(slopes, start, size)), 1));
      return tf.add<tf.Tensor2D>(sum, tf.matMul(scaled, rows, true));
    });
    sum.dispose();
    sum = next;
  }
  return sum;
}

/** Rows whose logits are held at once. */
export function headRowsAtOnce(vocabSize: number): number {
  const most = Math.max(1, Math.floor(CHUNK_NUMBERS / vocabSize)), step = alignedRows(1);
  return Math.max(step, most - most % step);
}

function chunks(rows: number, vocabSize: number): [start: number, size: number][] {
  const size = headRowsAtOnce(vocabSize);
  return Array.from(
    { length: Math.ceil(rows / size) },
    (_, i) => [i * size, Math.min(size, rows - i * size)],
  );
}
