import * as tf from "@tensorflow/tfjs";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import { fusedKernelsAreRegistered } from "./native_library.ts";
import { nativeOp } from "./native_op.ts";

/** Where a block of query rows stands in its group of tries. */
export type TrieBlock = {
  /** Key heads of a sequence, and query heads that share one. */
  keyHeads: number;
  share: number;
  /** Tokens of a sequence with padding, and the first that asks. */
  length: number;
  first: number;
};

/** Rows of a group of tries, of which a token has `keyHeads` times `share` heads. */
export type HeadRows = {
  keyHeads: number;
  share: number;
  headDim: number;
  length: number;
  first: number;
  rows: number;
};

/** Keys and values of some tokens. */
type KeyValues = { k: tf.Tensor3D; v: tf.Tensor3D };

/** The tables of RoPE, both `[N, 1, headDim]`. */
type Tables = { cos: tf.Tensor3D; sin: tf.Tensor3D };

/**
 * The operations of fused_kernels.cc. Each does in one pass over memory what its twin in plain tfjs
 * does in several; the layer that calls it has that twin, its formula and the shapes.
 */
export type FusedKernels = {
  rmsNorm(
    x: tf.Tensor2D,
    weight: tf.Tensor1D,
    epsilon: number,
  ): [y: tf.Tensor2D, rstd: tf.Tensor2D];
  rmsNormGrad(
    dy: tf.Tensor2D,
    x: tf.Tensor2D,
    rstd: tf.Tensor2D,
    weight: tf.Tensor1D,
    residual?: tf.Tensor2D,
  ): tf.Tensor2D;
  gated(gate: tf.Tensor2D, up: tf.Tensor2D): tf.Tensor2D;
  gatedGrad(
    dy: tf.Tensor2D,
    gate: tf.Tensor2D,
    up: tf.Tensor2D,
  ): [dgate: tf.Tensor2D, dup: tf.Tensor2D];
  rope(x: tf.Tensor3D, cos: tf.Tensor3D, sin: tf.Tensor3D, inverse: boolean): tf.Tensor3D;
  trieSoftmax(scores: tf.Tensor3D, segments: tf.Tensor1D, block: TrieBlock): tf.Tensor3D;
  softmaxGrad(dp: tf.Tensor3D, p: tf.Tensor3D, dout: tf.Tensor3D, out: tf.Tensor3D): tf.Tensor3D;
  toHeads(
    x: tf.Tensor2D,
    slots: tf.Tensor1D,
    tables: Tables | undefined,
    rows: HeadRows,
  ): tf.Tensor3D;
  fromHeads(
    blocks: tf.Tensor3D[],
    places: tf.Tensor1D,
    firsts: tf.Tensor1D,
    tables: Tables | undefined,
    heads: { keyHeads: number; share: number },
  ): tf.Tensor2D;
  fewRows(x: tf.Tensor2D, weights: tf.Tensor2D[]): tf.Tensor2D[];
  cachedAttention(
    q: tf.Tensor3D,
    own: KeyValues,
    past: KeyValues,
    mask: tf.Tensor3D,
    recent: KeyValues,
  ): [y: tf.Tensor2D, k: tf.Tensor3D, v: tf.Tensor3D];
};

const kernels: FusedKernels = {
  rmsNorm: (x, weight, epsilon) => {
    const [y, rstd] = run("DpoRmsNorm", { epsilon: { float: epsilon } }, [x, weight], 2);
    return [y as tf.Tensor2D, rstd as tf.Tensor2D];
  },
  rmsNormGrad: (dy, x, rstd, weight, residual) =>
    run("DpoRmsNormGrad", {}, [dy, x, rstd, weight, residual ?? tf.zeros([0])])[0] as tf.Tensor2D,
  gated: (gate, up) => run("DpoGated", {}, [gate, up])[0] as tf.Tensor2D,
  gatedGrad: (dy, gate, up) => {
    const [dgate, dup] = run("DpoGatedGrad", {}, [dy, gate, up], 2);
    return [dgate as tf.Tensor2D, dup as tf.Tensor2D];
  },
  rope: (x, cos, sin, inverse) =>
    run("DpoRope", { inverse: Number(inverse) }, [x, cos, sin])[0] as tf.Tensor3D,
  trieSoftmax: (scores, segments, { keyHeads, share, length, first }) =>
    run("DpoTrieSoftmax", { keyHeads, share, length, first }, [
      scores,
      segments,
    ])[0] as tf.Tensor3D,
  softmaxGrad: (dp, p, dout, out) =>
    run("DpoSoftmaxGrad", {}, [dp, p, dout, out])[0] as tf.Tensor3D,
  toHeads: (x, slots, tables, rows) =>
    run("DpoToHeads", { ...rows }, [x, slots, ...anglesOf(tables)])[0] as tf.Tensor3D,
  fromHeads: (blocks, places, firsts, tables, heads) =>
    run("DpoFromHeads", { ...heads, n: blocks.length }, [
      ...[places, firsts, ...anglesOf(tables)],
      ...blocks,
    ])[0] as tf.Tensor2D,
  fewRows: (x, weights) => {
    const n = weights.length;
    return run("DpoFewRows", { n }, [x, ...weights], n) as tf.Tensor2D[];
  },
  cachedAttention: (q, own, past, mask, recent) => {
    const inputs = [q, own.k, own.v, past.k, past.v, mask, recent.k, recent.v];
    const [y, k, v] = run("DpoCachedAttention", {}, inputs, 3);
    return [y as tf.Tensor2D, k as tf.Tensor3D, v as tf.Tensor3D];
  },
};
const anglesOf = (tables?: Tables) =>
  tables ? [tables.cos, tables.sin] : [tf.zeros([0]), tf.zeros([0])];
const run: NonNullable<ReturnType<typeof nativeOp>> = (...call) => nativeOp()!(...call);
let isOn = true;

/**
 * The fused kernels, or null where plain tfjs has to do: on another backend, on a GPU, or where
 * `deno task setup` could not compile them for this processor.
 */
export function fusedKernels(): FusedKernels | null {
  if (!isOn || tf.getBackend() !== "tensorflow" || !fusedKernelsAreRegistered()) return null;
  return (tf.backend() as unknown as NodeJSKernelBackend).isUsingGpuDevice ? null : kernels;
}

/** Switches them off and on again, to hold them against their twins. */
export function switchFusedKernels(on: boolean): void {
  isOn = on;
}
