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
/** Float32 matrices that are rounded to bfloat16 for each product. */
const roundedForProducts = new WeakSet<tf.Tensor>();

/** Whether a matrix rests in bfloat16: only the functions of this file may read it then. */
export function isHalf(weight: tf.Tensor): boolean {
  return halves.has(weight);
}

/**
 * Finds out, before a model is loaded, whether this backend has products in bfloat16.
 *
 * @throws {UserError} on other backends than TensorFlow.
 */
export function checkHalf(precision: string): void {
  if (tf.getBackend() === "tensorflow") return;
  throw new UserError(
    `Cannot multiply in ${precision}: wanted backend tensorflow, found ${tf.getBackend()}; use ` +
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

/**
 * Has a float32 matrix multiplied as its bfloat16 copy would be: {@link weightProduct} rounds it each
 * time, unless `exact` is asked for. The matrix itself stays as it is.
 */
export function roundForProducts(weight: tf.Tensor2D): void {
  roundedForProducts.add(weight);
}

/**
 * A matrix as several products want it: one that is rounded for each is rounded once, and the caller
 * owns that copy; any other is given back itself. `tf.tidy` frees the one and leaves the other.
 */
export function forProducts(weight: tf.Tensor2D, { exact = false } = {}): tf.Tensor2D {
  return !exact && roundedForProducts.has(weight) ? toHalf(weight) : weight;
}

/** A matrix as float32: itself, or a copy of one that rests in bfloat16. */
export function toFloat(weight: tf.Tensor2D): tf.Tensor2D {
  return isHalf(weight) ? wrap(cast(handleOf(weight), "float")) as tf.Tensor2D : weight;
}

type ProductOptions = { transpose?: boolean; exact?: boolean };

/**
 * `x W`, or `x W^T` with `transpose`, float32 in and out. Where `weight` rests in bfloat16 or is rounded
 * to it for products, `x` is rounded too, products are summed in float32 and the sum is rounded once;
 * with `exact` nothing is rounded, and what rests in bfloat16 is made float32.
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
  const isRounded = (weight: tf.Tensor2D) =>
    isHalf(weight) || !options.exact && roundedForProducts.has(weight);
  const isFew = options.transpose && x.shape[0] <= FEW_ROWS && !weights.some(isRounded);
  const fused = isFew ? fusedKernels() : null;
  return fused?.fewRows(x, weights) ?? weights.map((weight) => product(x, weight, options));
}

function product(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  { transpose = false, exact = false }: ProductOptions,
): tf.Tensor2D {
  const own = forProducts(weight, { exact });
  try {
    if (!isHalf(own)) return tf.matMul(x, own, false, transpose);
    return exact
      ? tf.tidy(() => tf.matMul(x, toFloat(own), false, transpose))
      : halfProduct(x, own, transpose);
  } finally {
    if (own !== weight) own.dispose();
  }
}

function halfProduct(x: tf.Tensor2D, weight: tf.Tensor2D, transpose: boolean): tf.Tensor2D {
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
