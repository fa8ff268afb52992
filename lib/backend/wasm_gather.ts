import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

type Inputs = { x: tf.TensorInfo; indices: tf.TensorInfo };
type Attributes = { axis: number; batchDims: number };

/**
 * Makes gathering of rows on WebAssembly a copy of each row. tfjs copies number by number and works
 * out each one's place: fifty times slower.
 */
export function replaceWasmGather(): void {
  const kernel = tf.getKernel("GatherV2", "wasm");
  tf.unregisterKernel("GatherV2", "wasm");
  tf.registerKernel({
    ...kernel,
    kernelFunc: (call) => {
      const { axis, batchDims } = call.attrs as Attributes;
      if (axis !== 0 || batchDims !== 0) return kernel.kernelFunc(call);
      return gatherRows(call.inputs as Inputs, call.backend as BackendWasm);
    },
  });
}

function gatherRows({ x, indices }: Inputs, backend: BackendWasm): tf.TensorInfo {
  const rows = x.shape[0], rowShape = x.shape.slice(1), width = tf.util.sizeFromShape(rowShape);
  const output = backend.makeOutput([...indices.shape, ...rowShape], x.dtype);
  const values = backend.typedArrayFromHeap(x), picked = backend.typedArrayFromHeap(output);
  backend.typedArrayFromHeap(indices).forEach((row, i) => {
    if (!(row >= 0 && row < rows)) throw new RangeError(`Cannot gather row ${row} of ${rows}`);
    picked.set(values.subarray(row * width, (row + 1) * width), i * width);
  });
  return output;
}
