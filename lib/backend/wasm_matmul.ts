import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { wasmModule } from "./wasm_module.ts";

type Inputs = { a: tf.TensorInfo; b: tf.TensorInfo };
type Attributes = { transposeA: boolean; transposeB: boolean };

/**
 * Makes products on WebAssembly with a kernel of our own. tfjs' library (XNNPACK) reaches three
 * quarters of its rate, and is asked for a single plain matrix alone; many of them, or a transposed
 * one, tfjs multiplies in three nested loops, twenty times slower.
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
  const { product, room } = wasmModule(backend), out = backend.getMemoryOffset(output.dataId);
  for (let i = 0; i < tf.util.sizeFromShape(batch); i++) {
    const place = out + bytesOf(rows * columns * i);
    product(...left.at(i), ...right.at(i), place, rows, columns, inner, room);
  }
  return output;
}

/** A tensor's last two axes as matrices in memory, turned or not; those before it count them. */
function matrices(x: tf.TensorInfo, isTransposed: boolean, backend: BackendWasm) {
  const [stored, width] = x.shape.slice(-2), start = backend.getMemoryOffset(x.dataId);
  const [rowStep, columnStep] = isTransposed ? [1, width] : [width, 1];
  const count = tf.util.sizeFromShape(batchOf(x));
  return {
    rows: isTransposed ? width : stored,
    columns: isTransposed ? stored : width,
    /** Fewer matrices than the other side has begin anew, as on tfjs' other backends. */
    at(i: number): [place: number, rowStep: number, columnStep: number] {
      return [start + bytesOf(stored * width * (i % count)), rowStep, columnStep];
    },
  };
}

const batchOf = ({ shape }: tf.TensorInfo) => shape.slice(0, -2);
const bytesOf = (numbers: number) => numbers * Float32Array.BYTES_PER_ELEMENT;
