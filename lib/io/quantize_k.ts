/**
 * Writers of Q4_K and Q6_K. Each sub-block's scale (and minimum) is searched: candidates for how the
 * numbers fall on whole codes, each with the scale that fits those codes best by least squares; then
 * the sub-blocks' scales are themselves rounded to whole multiples of the block's halves, and the
 * codes are chosen once more for what they will be read with.
 *
 * **Source**: the layouts are ggml's (`ggml-common.h`). The search is this project's: large numbers
 * count more, by `|x|` over the sub-block's root mean square, as ggml weighs them without an
 * importance matrix. Bytes may differ from llama.cpp's, the format doesn't.
 */
import type { Quantize } from "./gguf_types.ts";

const SIZE = 256;
const { abs, sqrt, round, max, min } = Math;

/** How much each of some numbers counts. */
function weigh(x: Float32Array, weights: Float32Array): void {
  let squares = 0;
  for (let k = 0; k < x.length; k++) squares += x[k] * x[k];
  const rms = sqrt(squares / x.length);
  for (let k = 0; k < x.length; k++) weights[k] = rms + abs(x[k]);
}

/** A sub-block as `scale * code - minimum`, codes from 0 to 15, both not below zero. */
type Affine = { scale: number; minimum: number };

const AFFINE_STEPS = 20;

/** Searches the scale and the minimum of 32 numbers. */
function fitAffine(x: Float32Array, weights: Float32Array): Affine {
  weigh(x, weights);
  let lowest = 0, highest = x[0]; // a minimum can only be taken off: the lowest is at most 0
  for (let k = 0; k < x.length; k++) {
    if (x[k] < lowest) lowest = x[k];
    if (x[k] > highest) highest = x[k];
  }
  if (!(highest > lowest)) return { scale: 0, minimum: -lowest };
  const range = highest - lowest;
  let best: Affine = { scale: range / 15, minimum: -lowest }, bestError = Infinity;
  for (let step = 0; step <= AFFINE_STEPS; step++) {
    const inverse = (15 + (step - AFFINE_STEPS / 2) / 10) / range;
    const found = solveAffine(x, weights, inverse, lowest);
    if (found.error < bestError) [best, bestError] = [found, found.error];
  }
  return best;
}

/** The best scale and minimum for the codes that `inverse` gives, and what then is left. */
function solveAffine(
  x: Float32Array,
  weights: Float32Array,
  inverse: number,
  lowest: number,
): Affine & { error: number } {
  let w = 0, wq = 0, wqq = 0, wx = 0, wqx = 0, wxx = 0;
  for (let k = 0; k < x.length; k++) {
    const value = x[k], weight = weights[k];
    const q = min(15, (value - lowest) * inverse + 0.5 | 0);
    w += weight;
    wq += weight * q;
    wqq += weight * q * q;
    wx += weight * value;
    wqx += weight * q * value;
    wxx += weight * value * value;
  }
  const determinant = w * wqq - wq * wq;
  let scale = (w * wqx - wq * wx) / determinant;
  let minimum = (wq * wqx - wqq * wx) / determinant;
  if (!(determinant > 0) || minimum < 0) [scale, minimum] = [wqx / wqq, 0];
  // The sum of w (scale q - minimum - x)^2, written out.
  const error = scale * scale * wqq + minimum * minimum * w + wxx -
    2 * (scale * minimum * wq + scale * wqx - minimum * wx);
  return scale > 0 ? { scale, minimum, error } : { scale: 0, minimum: 0, error: Infinity };
}

/** Q4_K: halves `d` and `dmin`, 8 scales and minima of 6 bits, 256 codes of 4 bits. */
export const quantizeQ4K: Quantize = (values, into) => {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  const weights = new Float32Array(32), codes = new Uint8Array(SIZE);
  const scales = new Uint8Array(8), minima = new Uint8Array(8);
  for (let start = 0, at = 0; start < values.length; start += SIZE, at += 144) {
    const subs = Array.from(
      { length: 8 },
      (_, j) => fitAffine(values.subarray(start + 32 * j, start + 32 * (j + 1)), weights),
    );
    const d = toHalf(max(...subs.map(({ scale }) => scale)) / 63);
    const dMin = toHalf(max(...subs.map(({ minimum }) => minimum)) / 63);
    subs.forEach(({ scale, minimum }, j) => {
      scales[j] = d === 0 ? 0 : min(63, round(scale / d));
      minima[j] = dMin === 0 ? 0 : min(63, round(minimum / dMin));
      const step = d * scales[j], offset = dMin * minima[j];
      for (let k = 32 * j; k < 32 * (j + 1); k++) {
        const code = step === 0 ? 0 : round((values[start + k] + offset) / step);
        codes[k] = max(0, min(15, code));
      }
    });
    view.setFloat16(at, d, true);
    view.setFloat16(at + 2, dMin, true);
    packScales(into, at + 4, scales, minima);
    for (let group = 0; group < 4; group++) {
      for (let k = 0; k < 32; k++) {
        const low = codes[64 * group + k], high = codes[64 * group + 32 + k];
        into[at + 16 + 32 * group + k] = low | high << 4;
      }
    }
  }
};

/** To a half; what would vanish becomes the smallest one, so that small numbers are not lost. */
const toHalf = (value: number) => Math.f16round(value) || Math.sign(value) * 2 ** -24;

function packScales(into: Uint8Array, at: number, scales: Uint8Array, minima: Uint8Array): void {
  for (let j = 0; j < 4; j++) {
    into[at + j] = scales[j] | (scales[j + 4] >> 4) << 6;
    into[at + 4 + j] = minima[j] | (minima[j + 4] >> 4) << 6;
    into[at + 8 + j] = (scales[j + 4] & 15) | (minima[j + 4] & 15) << 4;
  }
}

const SYMMETRIC_STEPS = 18;

/** Searches the scale of 16 numbers as `scale * code`, codes from -32 to 31; of either sign. */
function fitSymmetric(x: Float32Array, weights: Float32Array): number {
  weigh(x, weights);
  let extreme = 0;
  for (let k = 0; k < x.length; k++) if (abs(x[k]) > abs(extreme)) extreme = x[k];
  if (extreme === 0) return 0;
  let best = extreme / -32, mostExplained = -Infinity;
  for (let step = 0; step <= SYMMETRIC_STEPS; step++) {
    const inverse = -(32 + (step - SYMMETRIC_STEPS / 2) / 10) / extreme;
    let wqx = 0, wqq = 0;
    for (let k = 0; k < x.length; k++) {
      const q = max(-32, min(31, (x[k] * inverse + 64.5 | 0) - 64));
      wqx += weights[k] * q * x[k];
      wqq += weights[k] * q * q;
    }
    // The best scale is wqx / wqq; it takes wqx^2 / wqq off the squared error.
    if (wqq > 0 && wqx * wqx / wqq > mostExplained) {
      [best, mostExplained] = [wqx / wqq, wqx * wqx / wqq];
    }
  }
  return best;
}

/** Q6_K: 128 bytes of low nibbles, 64 of high pairs, 16 signed scales, a half `d`. */
export const quantizeQ6K: Quantize = (values, into) => {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  const weights = new Float32Array(16), codes = new Uint8Array(SIZE);
  for (let start = 0, at = 0; start < values.length; start += SIZE, at += 210) {
    const scales = Array.from(
      { length: 16 },
      (_, j) => fitSymmetric(values.subarray(start + 16 * j, start + 16 * (j + 1)), weights),
    );
    const extreme = scales.reduce((a, b) => abs(b) > abs(a) ? b : a);
    const d = toHalf(extreme / -128);
    scales.forEach((scale, j) => {
      const whole = d === 0 ? 0 : max(-128, min(127, round(scale / d)));
      view.setInt8(at + 192 + j, whole);
      const step = d * whole;
      for (let k = 16 * j; k < 16 * (j + 1); k++) {
        const code = step === 0 ? 0 : round(values[start + k] / step);
        codes[k] = max(-32, min(31, code)) + 32;
      }
    });
    packSixBits(codes, into, at);
    view.setFloat16(at + 208, d, true);
  }
};

/** Lays codes of 6 bits as Q6_K has them: per half of 128, 64 bytes of nibbles and 32 of pairs. */
function packSixBits(codes: Uint8Array, into: Uint8Array, at: number): void {
  for (let half = 0; half < 2; half++) {
    for (let k = 0; k < 32; k++) {
      const [a, b, c, d] = [0, 32, 64, 96].map((group) => codes[128 * half + group + k]);
      into[at + 64 * half + k] = (a & 15) | (c & 15) << 4;
      into[at + 64 * half + 32 + k] = (b & 15) | (d & 15) << 4;
      into[at + 128 + 32 * half + k] = a >> 4 | (b >> 4) << 2 | (c >> 4) << 4 | (d >> 4) << 6;
    }
  }
}
