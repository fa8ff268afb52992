import * as tf from "@tensorflow/tfjs";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";

/** A kernel's attributes: a dtype's name, a switch, a whole number or a `{ float }` each. */
export type NativeAttributes = Record<
  string,
  "float32" | "int32" | "bool" | boolean | number | { float: number }
>;

/** Runs one TensorFlow kernel; its results are ordinary tensors that `tf.tidy` frees. */
export type NativeOp = (
  kernel: string,
  attributes: NativeAttributes,
  inputs: tf.Tensor[],
  outputs?: number,
) => tf.Tensor[];

/**
 * TensorFlow's own kernels for tfjs' tensors, or null when another backend is active.
 *
 * Deno's permissions don't bind native code, and TensorFlow has kernels that read files. So kernel
 * names are literals in this room, never a user's text, and string attributes can't be passed.
 */
export function nativeOp(): NativeOp | null {
  if (tf.getBackend() !== "tensorflow") return null;
  const backend = tf.backend() as unknown as NodeJSKernelBackend;
  return (kernel, attributes, inputs, outputs = 1) =>
    backend.executeMultipleOutputs(
      kernel,
      Object.entries(attributes).map(([name, value]) => nativeAttribute(backend, name, value)),
      inputs,
      outputs,
    );
}

/** The method by which tfjs' binding brings a tensor over, which its types hide. */
type WithHandles = { getInputTensorIds(tensors: tf.TensorInfo[]): number[] };

/** TensorFlow's handle of a tensor; what tfjs still held as an array is brought over for it. */
export function handleOf(tensor: tf.Tensor): number {
  return (tf.backend() as unknown as WithHandles).getInputTensorIds([tensor])[0];
}

function nativeAttribute(
  backend: NodeJSKernelBackend,
  name: string,
  value: NativeAttributes[string],
) {
  const { TF_ATTR_BOOL, TF_ATTR_FLOAT, TF_ATTR_INT, TF_ATTR_TYPE } = backend.binding;
  if (typeof value === "boolean") return { name, type: TF_ATTR_BOOL, value };
  if (typeof value === "number") return { name, type: TF_ATTR_INT, value };
  if (typeof value === "object") return { name, type: TF_ATTR_FLOAT, value: value.float };
  return { name, type: TF_ATTR_TYPE, value: backend.getDTypeInteger(value) };
}
