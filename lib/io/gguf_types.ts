/**
 * The number formats of GGUF, by their id in the file.
 *
 * **Source**: ggml's `ggml-common.h` and `ggml-quants.c`; values equal the Python package `gguf`'s to
 * the bit.
 */
import { kDequantizers } from "./dequantize_k.ts";
import { widenToFloat32 } from "./half.ts";

/** A number format: `elements` numbers take `bytes` bytes. */
export type GgmlType = { name: string; elements: number; bytes: number };

const type = (name: string, elements: number, bytes: number): GgmlType => ({
  name,
  elements,
  bytes,
});

/** Every format that a file may name, so that sizes can be checked and a refusal can say the name. */
export const ggmlTypes: Record<number, GgmlType> = {
  ...{ 0: type("F32", 1, 4), 1: type("F16", 1, 2), 30: type("BF16", 1, 2) },
  ...{ 2: type("Q4_0", 32, 18), 3: type("Q4_1", 32, 20) },
  ...{ 6: type("Q5_0", 32, 22), 7: type("Q5_1", 32, 24) },
  ...{ 8: type("Q8_0", 32, 34), 9: type("Q8_1", 32, 40) },
  ...{ 10: type("Q2_K", 256, 84), 11: type("Q3_K", 256, 110), 12: type("Q4_K", 256, 144) },
  ...{ 13: type("Q5_K", 256, 176), 14: type("Q6_K", 256, 210), 15: type("Q8_K", 256, 292) },
  ...{ 16: type("IQ2_XXS", 256, 66), 17: type("IQ2_XS", 256, 74), 18: type("IQ3_XXS", 256, 98) },
  ...{ 19: type("IQ1_S", 256, 50), 20: type("IQ4_NL", 32, 18), 21: type("IQ3_S", 256, 110) },
  ...{ 22: type("IQ2_S", 256, 82), 23: type("IQ4_XS", 256, 136), 29: type("IQ1_M", 256, 56) },
  ...{ 24: type("I8", 1, 1), 25: type("I16", 1, 2), 26: type("I32", 1, 4), 27: type("I64", 1, 8) },
  ...{ 28: type("F64", 1, 8), 34: type("TQ1_0", 256, 54), 35: type("TQ2_0", 256, 66) },
  ...{ 39: type("MXFP4", 32, 17), 40: type("NVFP4", 64, 36), 41: type("Q1_0", 128, 18) },
};

/** A format by its name, with its id. */
export function ggmlType(name: string): GgmlType & { id: number } {
  const [id, found] = Object.entries(ggmlTypes).find(([, { name: own }]) => own === name)!;
  return { ...found, id: Number(id) };
}

/** Turns whole blocks of `bytes` into the numbers of `into`. */
export type Dequantize = (bytes: Uint8Array<ArrayBuffer>, into: Float32Array) => void;

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
