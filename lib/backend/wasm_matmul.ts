import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { multiplierOf } from "./wasm_multiplier.ts";
import type { Matrices } from "./wasm_product.ts";

type Inputs = { a: tf.TensorInfo; b: tf.TensorInfo };
type Attributes = { transposeA: boolean; transposeB: boolean };

/**
 * Makes products on WebAssembly with a kernel of our own. tfjs' library (XNNPACK) reaches three
 * quarters of its rate, and is asked for a single plain matrix alone; many of them, or a transposed
 * one, tfjs multiplies in three nested loops, nearly twenty times slower.
 */
export function replaceWasmMatMul(): void {
  const kernel = tf.getKernel("BatchMatMul", "wasm");
  tf.unregisterKernel("BatchMatMul", "wasm");
  tf.registerKernel({
    ...kernel,
    kernelFunc: (call) => {
      const inputs = call.inputs as Inputs;
      if (inputs.a.dtype !== "float32" || inputs.b.dtype !== "float32") {
        return kernel.kernelFunc(call); // which says that it can't
      }
      return multiply(inputs, call.attrs as Attributes, call.backend as BackendWasm);
    },
  });
}

function multiply(
  { a, b }: Inputs,
  { transposeA, transposeB }: Attributes,
  backend: BackendWasm,
): tf.TensorInfo {
  const left = matrices(a, transposeA, backend), right = matrices(b, transposeB, backend);
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(batchOf(a), batchOf(b));
  const { rows, columns: inner } = left, { columns } = right;
  const output = backend.makeOutput([...batch, rows, columns], "float32");
  multiplierOf(backend)({
    a: left.matrices,
    b: right.matrices,
    out: backend.getMemoryOffset(output.dataId),
    items: tf.util.sizeFromShape(batch),
    rows,
    columns,
    inner,
  });
  return output;
}

/** A tensor's last two axes as matrices in memory, turned or not; those before it count them. */
function matrices(
  x: tf.TensorInfo,
  isTransposed: boolean,
  backend: BackendWasm,
): { matrices: Matrices; rows: number; columns: number } {
  const [rows, columns] = x.shape.slice(-2), count = tf.util.sizeFromShape(batchOf(x));
  const place = backend.getMemoryOffset(x.dataId);
  return isTransposed
    ? { matrices: [place, 1, columns, count], rows: columns, columns: rows }
    : { matrices: [place, columns, 1, count], rows, columns };
}

const batchOf = ({ shape }: tf.TensorInfo) => shape.slice(0, -2);
