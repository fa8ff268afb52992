import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

type Inputs = { a: tf.TensorInfo; b: tf.TensorInfo };
type Attributes = { transposeA: boolean; transposeB: boolean };

/**
 * Makes products of transposed matrices on WebAssembly transpose first. Its library (XNNPACK) takes
 * plain matrices alone; for transposed ones tfjs falls back to three nested loops, ten times slower
 * (`[992, 128]` by `[384, 128]` transposed: 1.0 against 10 GFLOPS).
 */
export function replaceWasmMatMul(): void {
  const kernel = tf.getKernel("BatchMatMul", "wasm");
  tf.unregisterKernel("BatchMatMul", "wasm");
  tf.registerKernel({
    ...kernel,
    kernelFunc: (call) => {
      const { a, b } = call.inputs as Inputs;
      const { transposeA, transposeB } = call.attrs as Attributes;
      if (!isMatrix(a) || !isMatrix(b)) return kernel.kernelFunc(call);
      const backend = call.backend as BackendWasm;
      const left = transposeA ? transpose(a, backend) : a;
      const right = transposeB ? transpose(b, backend) : b;
      const product = kernel.kernelFunc({
        ...call,
        inputs: { a: left, b: right },
        attrs: { transposeA: false, transposeB: false },
      });
      if (transposeA) backend.disposeData(left.dataId);
      if (transposeB) backend.disposeData(right.dataId);
      return product;
    },
  });
}

/** Whether a tensor is one matrix, whatever ones its shape begins with. */
const isMatrix = ({ shape }: tf.TensorInfo) => shape.slice(0, -2).every((size) => size === 1);

/** Swaps the last two axes of one matrix. */
function transpose(x: tf.TensorInfo, backend: BackendWasm): tf.TensorInfo {
  const perm = x.shape.map((_, axis) => axis);
  perm.push(...perm.splice(-2).reverse());
  const { kernelFunc } = tf.getKernel("Transpose", "wasm");
  return kernelFunc({ inputs: { x }, attrs: { perm }, backend }) as tf.TensorInfo;
}
