import * as tf from "@tensorflow/tfjs";
import { fusedKernels } from "../backend/fused_kernels.ts";

/** Cosines and signed sines of each token's angles, both `[N, 1, headDim]`. */
export type RopeTables = { cos: tf.Tensor3D; sin: tf.Tensor3D };

/**
 * Makes the tables of rotary position embedding (arXiv 2104.09864, Eq. 34) in the layout of Llama
 * checkpoints, where coordinate `j` turns with `j + headDim / 2`, by `frequencies[j]` a position. `scale`
 * multiplies what comes out: with `1 / sqrt(headDim)` the rotation of queries also does attention's
 * scaling.
 */
export function ropeTables(
  positions: Int32Array,
  { frequencies, scale = 1 }: { frequencies: number[]; scale?: number },
): RopeTables {
  const half = frequencies.length, headDim = 2 * half;
  const cos = new Float32Array(positions.length * headDim);
  const sin = new Float32Array(positions.length * headDim);
  positions.forEach((position, i) => {
    for (let j = 0; j < half; j++) {
      const angle = position * frequencies[j], at = i * headDim + j;
      cos[at] = cos[at + half] = Math.cos(angle) * scale;
      sin[at + half] = Math.sin(angle) * scale;
      sin[at] = -sin[at + half];
    }
  });
  const shape: [number, number, number] = [positions.length, 1, headDim];
  return { cos: tf.tensor3d(cos, shape), sin: tf.tensor3d(sin, shape) };
}

/** Turns `x` `[N, H, headDim]`: `x * cos + swap(x) * sin`, where `swap` exchanges the halves. */
export function ropeForward(x: tf.Tensor3D, { cos, sin }: RopeTables): tf.Tensor3D {
  return fusedKernels()?.rope(x, cos, sin, false) ??
    tf.add(tf.mul(x, cos), tf.mul(swapHalves(x), sin));
}

/** The gradient of {@link ropeForward}: the same turn backwards, for swapped sines are negated ones. */
export function ropeBackward(dy: tf.Tensor3D, { cos, sin }: RopeTables): tf.Tensor3D {
  return fusedKernels()?.rope(dy, cos, sin, true) ??
    tf.sub(tf.mul(dy, cos), tf.mul(swapHalves(dy), sin));
}

function swapHalves(x: tf.Tensor3D): tf.Tensor3D {
  const [n, heads, headDim] = x.shape, half = headDim / 2;
  const first = tf.slice(x, [0, 0, 0], [n, heads, half]);
  const second = tf.slice(x, [0, 0, half], [n, heads, half]);
  return tf.concat([second, first], 2);
}
