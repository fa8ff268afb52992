import * as tf from "@tensorflow/tfjs";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import { UserError } from "../errors.ts";
import { fusedKernels } from "./fused_kernels.ts";
import { handleOf } from "./native_op.ts";

/** TensorFlow's number for bfloat16, a type that tfjs does not know. */
const BFLOAT16 = 14;

/** So few rows, as generation has them, are multiplied fastest by a kernel of our own. */
const FEW_ROWS = 64;

type Output = { id: number; shape: number[]; dtype: number };
type Binding = NodeJSKernelBackend["binding"] & { deleteTensor(id: number): void };

/** Matrices that rest in bfloat16, of all tensors. To tfjs they look like float32 ones. */
const halves = new WeakSet<tf.Tensor>();

/** Whether a matrix rests in bfloat16: only the functions of this file may read it then. */
export function isHalf(weight: tf.Tensor): boolean {
  return halves.has(weight);
}

/**
 * Finds out, before a model is loaded, whether its weights could rest in bfloat16.
 *
 * @throws {UserError} on other backends than TensorFlow.
 */
export function checkHalf(): void {
  if (tf.getBackend() === "tensorflow") return;
  throw new UserError(
    `Cannot keep weights in bfloat16: wanted backend tensorflow, found ${tf.getBackend()}; use ` +
      "precision float32",
    { field: "precision" },
  );
}

/**
 * Copies a float32 matrix into bfloat16 (the same exponent, 8 bits of precision): half the memory,
 * and products that new processors make several times faster.
 *
 * **Memory**: the caller owns the copy; `x` stays.
 */
export function toHalf(x: tf.Tensor2D): tf.Tensor2D {
  const { shape, id } = cast(handleOf(x), "half");
  const half = wrap({ id, shape, dtype: BFLOAT16 });
  halves.add(half);
  return half as tf.Tensor2D;
}

/** A matrix as float32: itself, or a copy of one that rests in bfloat16. */
export function toFloat(weight: tf.Tensor2D): tf.Tensor2D {
  return isHalf(weight) ? wrap(cast(handleOf(weight), "float")) as tf.Tensor2D : weight;
}

type ProductOptions = { transpose?: boolean; exact?: boolean };

/**
 * `x W`, or `x W^T` with `transpose`, float32 in and out. Where `weight` rests in bfloat16, `x` is
 * rounded to it, products are summed in float32 and the sum is rounded once; with `exact` the weight
 * is made float32 instead and nothing else is rounded.
 */
export function weightProduct(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  options: ProductOptions = {},
): tf.Tensor2D {
  return weightProducts(x, [weight], options)[0];
}

/** {@link weightProduct} of one `x` with several weights; of few rows in one go. */
export function weightProducts(
  x: tf.Tensor2D,
  weights: tf.Tensor2D[],
  options: ProductOptions = {},
): tf.Tensor2D[] {
  const isFew = options.transpose && x.shape[0] <= FEW_ROWS && !weights.some(isHalf);
  const fused = isFew ? fusedKernels() : null;
  return fused?.fewRows(x, weights) ?? weights.map((weight) => product(x, weight, options));
}

function product(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  { transpose = false, exact = false }: ProductOptions,
): tf.Tensor2D {
  if (!isHalf(weight)) return tf.matMul(x, weight, false, transpose);
  if (exact) return tf.tidy(() => tf.matMul(x, toFloat(weight), false, transpose));
  const { TF_ATTR_BOOL, TF_ATTR_TYPE } = binding();
  const rounded = cast(handleOf(x), "half");
  const attributes = [
    { name: "T", type: TF_ATTR_TYPE, value: BFLOAT16 },
    { name: "transpose_a", type: TF_ATTR_BOOL, value: false },
    { name: "transpose_b", type: TF_ATTR_BOOL, value: transpose },
  ];
  const product = freeing(rounded, () => run("MatMul", attributes, [rounded.id, handleOf(weight)]));
  return wrap(freeing(product, () => cast(product.id, "float"))) as tf.Tensor2D;
}

/** Rows of a matrix, float32 `[n, D]`. */
export function weightRows(weight: tf.Tensor2D, rows: tf.Tensor1D): tf.Tensor2D {
  if (!isHalf(weight)) return tf.gather(weight, rows);
  const { TF_ATTR_INT, TF_ATTR_TYPE, TF_INT32 } = binding();
  const axis = tf.scalar(0, "int32");
  const attributes = [
    { name: "batch_dims", type: TF_ATTR_INT, value: 0 },
    { name: "Tparams", type: TF_ATTR_TYPE, value: BFLOAT16 },
    ...["Tindices", "Taxis"].map((name) => ({ name, type: TF_ATTR_TYPE, value: TF_INT32 })),
  ];
  try {
    const picked = run("GatherV2", attributes, [weight, rows, axis].map(handleOf));
    return wrap(freeing(picked, () => cast(picked.id, "float"))) as tf.Tensor2D;
  } finally {
    axis.dispose();
  }
}

/** Uses a handle that tfjs knows nothing of, and frees it, also after an error. */
function freeing(handle: Output, use: () => Output): Output {
  try {
    return use();
  } finally {
    binding().deleteTensor(handle.id);
  }
}

function backend(): NodeJSKernelBackend {
  return tf.backend() as unknown as NodeJSKernelBackend;
}

function binding(): Binding {
  return backend().binding as Binding;
}

/** One kernel on TensorFlow's own handles: only so can bfloat16 pass. */
function run(kernel: "Cast" | "MatMul" | "GatherV2", attributes: unknown[], ids: number[]): Output {
  return binding().executeOp(kernel, attributes as never, ids, 1)[0] as Output;
}

function cast(id: number, to: "half" | "float"): Output {
  const { TF_ATTR_BOOL, TF_ATTR_TYPE, TF_FLOAT } = binding();
  const [from, target] = to === "half" ? [TF_FLOAT, BFLOAT16] : [BFLOAT16, TF_FLOAT];
  const attributes = [
    { name: "SrcT", type: TF_ATTR_TYPE, value: from },
    { name: "DstT", type: TF_ATTR_TYPE, value: target },
    { name: "Truncate", type: TF_ATTR_BOOL, value: false },
  ];
  return run("Cast", attributes, [id]);
}

type Inner = {
  tensorMap: { set(dataId: object, info: Output & { values: null; refCount: number }): void };
};

/** A handle as a tensor of tfjs', which frees it as it frees others. */
function wrap(output: Output): tf.Tensor {
  const dataId = {}, { shape } = output;
  (backend() as unknown as Inner).tensorMap.set(dataId, { ...output, values: null, refCount: 1 });
  return tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype: "float32" });
}
