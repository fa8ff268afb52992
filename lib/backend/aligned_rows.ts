import * as tf from "@tensorflow/tfjs";
import { fusedKernels } from "./fused_kernels.ts";

const STEP = 32;

/**
 * Rounds a row count up to what products are run with. TensorFlow on a processor compiles a product
 * for each new shape and keeps it, which takes time and, with every batch's own lengths, more memory
 * in the end than a small model. Elsewhere, and where the kernels that take such rows are missing, it
 * is the count itself.
 */
export function alignedRows(rows: number): number {
  return fusedKernels() ? STEP * Math.ceil(rows / STEP) : rows;
}

/** Values of some rows, with zeros behind them up to {@link alignedRows}. */
export function alignValues(values: Int32Array): Int32Array {
  const all = new Int32Array(alignedRows(values.length));
  all.set(values);
  return all;
}

/** A tensor with rows of zeros behind its own up to {@link alignedRows}; itself where none are wanted. */
export function alignTensor<T extends tf.Tensor>(x: T): T {
  const added = alignedRows(x.shape[0]) - x.shape[0];
  return added === 0 ? x : tf.pad(x, x.shape.map((_, axis) => [0, axis === 0 ? added : 0]));
}
