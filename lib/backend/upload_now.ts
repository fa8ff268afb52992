import * as tf from "@tensorflow/tfjs";
import { handleOf } from "./native_op.ts";

/**
 * Brings numbers to the backend now, where tfjs would keep the array until the tensor is first used:
 * with a checkpoint's weights, that is a second copy of the model in memory.
 */
export function uploadNow(values: Float32Array, shape: number[]): tf.Tensor {
  const tensor = tf.tensor(values, shape, "float32");
  if (tf.getBackend() === "tensorflow") handleOf(tensor);
  return tensor;
}

/**
 * Whether a buffer may be filled again after {@link uploadNow} of what lies at its beginning.
 * TensorFlow copies arrays, but where one happens to be aligned as its own memory is, it keeps using
 * it; other backends keep arrays, too.
 */
export function isCopiedFrom(buffer: ArrayBuffer): boolean {
  if (tf.getBackend() !== "tensorflow") return false;
  const [kept] = new Float32Array(buffer, 0, 1), probe = new Float32Array(buffer, 0, 1);
  probe[0] = 1;
  const tensor = uploadNow(probe, [1]);
  probe[0] = 2;
  const isCopied = tensor.dataSync()[0] === 1;
  probe[0] = kept;
  tensor.dispose();
  return isCopied;
}
