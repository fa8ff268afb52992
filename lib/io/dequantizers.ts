/**
 * Readers of GGUF's number formats: blocks into float32.
 *
 * **Source**: ggml's `ggml-common.h` and `ggml-quants.c`; values equal the Python package `gguf`'s to
 * the bit.
 */
import { kDequantizers } from "./dequantize_k.ts";
import type { Dequantize } from "./gguf_types.ts";
import { widenToFloat32 } from "./half.ts";

/** How to read the formats that can be read; a product with a scale is exact, a sum rounds once. */
export const dequantizers: Record<string, Dequantize> = {
  F32: (bytes, into) => widenToFloat32(bytes, { type: "F32", into }),
  F16: (bytes, into) => widenToFloat32(bytes, { type: "F16", into }),
  BF16: (bytes, into) => widenToFloat32(bytes, { type: "BF16", into }),
  Q8_0: (bytes, into) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0, i = 0; i < into.length; at += 34) {
      const scale = view.getFloat16(at, true);
      for (let k = 2; k < 34; k++) into[i++] = scale * signed[at + k];
    }
  },
  Q4_0: nibbles({ offset: 8, hasMinimum: false, hasFifthBit: false }),
  Q4_1: nibbles({ offset: 0, hasMinimum: true, hasFifthBit: false }),
  Q5_0: nibbles({ offset: 16, hasMinimum: false, hasFifthBit: true }),
  Q5_1: nibbles({ offset: 0, hasMinimum: true, hasFifthBit: true }),
  ...kDequantizers,
};

/** A block of 32: scale, minimum?, fifth bits?, then 16 bytes; low nibbles come before high ones. */
function nibbles({ offset, hasMinimum, hasFifthBit }: {
  offset: number;
  hasMinimum: boolean;
  hasFifthBit: boolean;
}): Dequantize {
  const fifthAt = hasMinimum ? 4 : 2;
  const nibblesAt = fifthAt + (hasFifthBit ? 4 : 0);
  return (bytes, into) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0, i = 0; i < into.length; at += nibblesAt + 16, i += 32) {
      const scale = view.getFloat16(at, true);
      const minimum = hasMinimum ? view.getFloat16(at + 2, true) : 0;
      const fifth = hasFifthBit ? view.getUint32(at + fifthAt, true) : 0;
      for (let k = 0; k < 16; k++) {
        const byte = bytes[at + nibblesAt + k];
        const low = (byte & 15) | ((fifth >>> k) & 1) << 4;
        const high = (byte >> 4) | ((fifth >>> (k + 16)) & 1) << 4;
        // Without a minimum nothing is added: -0 stays -0.
        into[i + k] = hasMinimum ? scale * low + minimum : scale * (low - offset);
        into[i + k + 16] = hasMinimum ? scale * high + minimum : scale * (high - offset);
      }
    }
  };
}
