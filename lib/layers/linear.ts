import * as tf from "@tensorflow/tfjs";
import { weightProduct, weightProducts } from "../backend/half_matrix.ts";

/** A low-rank update of a frozen matrix: `scale * B A`, with `a` `[R, in]` and `b` `[out, R]`. */
export type LowRank = { a: tf.Tensor2D; b: tf.Tensor2D; scale: number };

/**
 * `y = x W^T + bias + scale * (x A^T) B^T`, with `weight` `[out, in]` as checkpoints store it, or, with
 * `transposed`, `[in, out]`. A frozen one may be multiplied in bfloat16; `exact` keeps its products in
 * float32 nevertheless.
 */
export type LinearParameters = {
  weight: tf.Tensor2D;
  bias?: tf.Tensor1D;
  lowRank?: LowRank;
  exact?: boolean;
  transposed?: boolean;
};

/** What backward needs beside the input: `scale * x A^T`, `[N, R]`. */
export type LinearSaved = { low?: tf.Tensor2D };

/** Which gradients of a linear layer are wanted; those of a low-rank update always are. */
export type LinearNeeds = { input: boolean; weights: boolean };

export type LinearGradients = {
  weight?: tf.Tensor2D;
  bias?: tf.Tensor1D;
  a?: tf.Tensor2D;
  b?: tf.Tensor2D;
};

/**
 * Computes `y` `[N, out]` of several layers of one network from the `x` `[N, in]` that they share: few
 * rows go through their weights in one call.
 */
export function linearsForward(
  x: tf.Tensor2D,
  layers: LinearParameters[],
): { y: tf.Tensor2D; saved: LinearSaved }[] {
  const [{ exact, transposed = false }] = layers, weights = layers.map(({ weight }) => weight);
  return tf.tidy(() => {
    const products = weightProducts(x, weights, { transpose: !transposed, exact });
    return layers.map(({ bias, lowRank }, i) => {
      const y = bias ? tf.add<tf.Tensor2D>(products[i], bias) : products[i];
      if (!lowRank) return { y, saved: {} };
      const { a, b, scale } = lowRank;
      const low = tf.mul<tf.Tensor2D>(weightProduct(x, a, { transpose: true }), scale);
      return { y: tf.add(y, weightProduct(low, b, { transpose: true })), saved: { low } };
    });
  });
}

/**
 * The gradients of {@link linearsForward}: `dx = dy W + dlow A`, `dW = dy^T x`, `dB = dy^T low`,
 * `dA = dlow^T x` with `dlow = scale * dy B`. The input is asked for only where a gradient needs it,
 * so that a caller can compute it again instead of keeping it.
 */
export function linearBackward(
  dy: tf.Tensor2D,
  x: () => tf.Tensor2D,
  saved: LinearSaved,
  { weight, bias, lowRank, transposed = false }: LinearParameters,
  needs: LinearNeeds,
): { dx?: tf.Tensor2D; gradients: LinearGradients } {
  const gradients: LinearGradients = {};
  let dx: tf.Tensor2D | undefined = needs.input
    ? weightProduct(dy, weight, { transpose: transposed })
    : undefined;
  if (needs.weights) {
    gradients.weight = transposed ? tf.matMul(x(), dy, true) : tf.matMul(dy, x(), true);
    if (bias) gradients.bias = tf.sum(dy, 0);
  }
  if (lowRank) {
    const dlow = tf.mul<tf.Tensor2D>(tf.matMul(dy, lowRank.b), lowRank.scale);
    gradients.b = tf.matMul(dy, saved.low!, true);
    gradients.a = tf.matMul(dlow, x(), true);
    if (dx) dx = sumOf([dx, tf.matMul(dlow, lowRank.a)]);
  }
  return { dx, gradients };
}

/** The sum of some tensors, each of which is freed. */
export function sumOf(parts: tf.Tensor2D[]): tf.Tensor2D {
  if (parts.length === 1) return parts[0];
  const sum = tf.addN(parts);
  tf.dispose(parts);
  return sum;
}
