import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { replaceWasmGather } from "./wasm_gather.ts";
import { replaceWasmMatMul } from "./wasm_matmul.ts";

/** Registers what tfjs' WebAssembly backend lacks or does slowly, and this project needs. */
export function addWasmKernels(): void {
  if (tf.getKernel("UnsortedSegmentSum", "wasm")) return;
  replaceWasmGather();
  replaceWasmMatMul();
  tf.registerKernel({
    kernelName: "UnsortedSegmentSum",
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs, backend }) =>
      unsortedSegmentSum(
        inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo },
        (attrs as { numSegments: number }).numSegments,
        backend as BackendWasm,
      ),
  });
}

/** Adds row i of x `[n, ...]` to row `segmentIds[i]` of the result; rows of negative ids are dropped. */
function unsortedSegmentSum(
  { x, segmentIds }: { x: tf.TensorInfo; segmentIds: tf.TensorInfo },
  numSegments: number,
  backend: BackendWasm,
): tf.TensorInfo {
  const shape = [numSegments, ...x.shape.slice(segmentIds.shape.length)];
  const width = shape.slice(1).reduce((product, size) => product * size, 1);
  const output = backend.makeOutput(shape, x.dtype);
  const sums = backend.typedArrayFromHeap(output).fill(0);
  const values = backend.typedArrayFromHeap(x);
  const rows = backend.typedArrayFromHeap(segmentIds);
  rows.forEach((row, i) => {
    if (row < 0) return;
    for (let j = 0; j < width; j++) sums[row * width + j] += values[i * width + j];
  });
  return output;
}
