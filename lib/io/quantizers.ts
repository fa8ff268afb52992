/**
 * Writers of GGUF's number formats: whole rows of float32 into blocks.
 *
 * **Source**: ggml's `quantize_row_*_ref`; the bytes of F16, BF16, Q8_0, Q4_0 and Q5_0 equal those of
 * the Python package `gguf`.
 */
import type { Quantize } from "./gguf_types.ts";
import { narrowFloat32 } from "./half.ts";
import { quantizeQ4K, quantizeQ6K } from "./quantize_k.ts";

const { fround, abs, trunc, floor, sign, min } = Math;

/** How to write the formats that can be written. */
export const quantizers: Record<string, Quantize> = {
  F32: (values, into) => narrowFloat32(values, { type: "F32", into }),
  F16: (values, into) => narrowFloat32(values, { type: "F16", into }),
  BF16: (values, into) => narrowFloat32(values, { type: "BF16", into }),
  Q8_0(values, into) {
    const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
    for (let i = 0, at = 0; i < values.length; i += 32, at += 34) {
      const scale = fround(abs(values[extreme(values, i)]) / 127);
      const inverse = scale === 0 ? 0 : fround(1 / scale);
      view.setFloat16(at, scale, true);
      for (let k = 0; k < 32; k++) into[at + 2 + k] = roundAway(fround(values[i + k] * inverse));
    }
  },
  Q4_0: nibbles({ offset: 8, hasFifthBit: false }),
  Q5_0: nibbles({ offset: 16, hasFifthBit: true }),
  Q4_K: quantizeQ4K,
  Q6_K: quantizeQ6K,
};

/** To the nearest whole number, a half away from zero, as C rounds. */
function roundAway(value: number): number {
  return sign(value) * floor(abs(value) + 0.5);
}

/** Where the number of the largest magnitude of a block of 32 stands; the first of equals. */
function extreme(values: Float32Array, start: number): number {
  let found = start;
  for (let k = start + 1; k < start + 32; k++) if (abs(values[k]) > abs(values[found])) found = k;
  return found;
}

/** A block of 32: scale, fifth bits?, 16 bytes of low nibbles; the extreme number becomes code 0. */
function nibbles({ offset, hasFifthBit }: { offset: number; hasFifthBit: boolean }): Quantize {
  const nibblesAt = hasFifthBit ? 6 : 2, largest = 2 * offset - 1;
  return (values, into) => {
    const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
    for (let i = 0, at = 0; i < values.length; i += 32, at += nibblesAt + 16) {
      const scale = fround(values[extreme(values, i)] / -offset);
      const inverse = scale === 0 ? 0 : fround(1 / scale);
      const code = (k: number) =>
        min(largest, trunc(fround(fround(values[i + k] * inverse) + offset + 0.5)));
      let fifth = 0;
      for (let k = 0; k < 16; k++) {
        const low = code(k), high = code(k + 16);
        into[at + nibblesAt + k] = (low & 15) | (high & 15) << 4;
        fifth |= (low >> 4) << k | (high >> 4) << (k + 16);
      }
      view.setFloat16(at, scale, true);
      if (hasFifthBit) view.setInt32(at + 2, fifth, true);
    }
  };
}
