import { fusedKernels } from "./fused_kernels.ts";

const STEP = 32;

/**
 * Rounds a row count up to what products are run with. TensorFlow on a processor compiles a product
 * for each new shape and keeps it: with every batch's own lengths that costs small models a tenth of
 * their time, and hundreds of megabytes in the end. Elsewhere, and where the kernels that take such
 * rows are missing, it is the count itself.
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
