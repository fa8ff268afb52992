/**
 * Readers of GGUF's K formats: super-blocks of 256 numbers whose sub-blocks have small whole scales of
 * their own. A number is `d * scale * q`, less `dmin * minimum` where the format has minima.
 *
 * **Source**: the layouts of ggml's `ggml-common.h`; values equal the Python package `gguf`'s to the
 * bit, for products with a half are exact in float32 and a minimum is taken off once.
 */
import type { Dequantize } from "./gguf_types.ts";

const SIZE = 256;

/** What one super-block holds, once unpacked: codes by number, scales and minima by sub-block. */
type Unpacked = { codes: Int8Array; scales: Int8Array; minima: Int8Array };
type Layout = {
  bytes: number;
  /** Numbers of a sub-block. */
  subBlock: number;
  /** Where the half `d` stands, and `dmin` if there is one. */
  dAt: number;
  dMinAt?: number;
  unpack: (bytes: Uint8Array, at: number, into: Unpacked) => void;
};

/** Makes the reader of a layout. */
function reader({ bytes: blockBytes, subBlock, dAt, dMinAt, unpack }: Layout): Dequantize {
  const count = SIZE / subBlock;
  return (bytes, into) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const block: Unpacked = {
      codes: new Int8Array(SIZE),
      scales: new Int8Array(count),
      minima: new Int8Array(count),
    };
    for (let at = 0, i = 0; i < into.length; at += blockBytes) {
      unpack(bytes, at, block);
      const d = view.getFloat16(at + dAt, true);
      const dMin = dMinAt === undefined ? 0 : view.getFloat16(at + dMinAt, true);
      for (let sub = 0, k = 0; sub < count; sub++) {
        const scale = d * block.scales[sub], minimum = dMin * block.minima[sub];
        const end = k + subBlock;
        // Without minima nothing is taken off: -0 stays -0.
        if (dMinAt === undefined) { while (k < end) into[i++] = scale * block.codes[k++]; }
        else while (k < end) into[i++] = scale * block.codes[k++] - minimum;
      }
    }
  };
}

/** Eight scales and eight minima of 6 bits each in twelve bytes, as Q4_K and Q5_K pack them. */
function unpackScales(
  bytes: Uint8Array,
  at: number,
  { scales, minima }: Pick<Unpacked, "scales" | "minima">,
): void {
  for (let j = 0; j < 4; j++) {
    const low = bytes[at + j], middle = bytes[at + 4 + j], both = bytes[at + 8 + j];
    scales[j] = low & 63;
    minima[j] = middle & 63;
    scales[j + 4] = (both & 15) | (low >> 6) << 4;
    minima[j + 4] = (both >> 4) | (middle >> 6) << 4;
  }
}

/** Groups of 32 numbers lie in turn in the bits of 32 bytes: `bits` each, from the lowest on. */
function groupCode(bytes: Uint8Array, at: number, group: number, k: number, bits: 2 | 4): number {
  const perByte = 8 / bits;
  const byte = bytes[at + Math.floor(group / perByte) * 32 + k];
  return (byte >> (group % perByte) * bits) & (2 ** bits - 1);
}

/** Calls `code` for the 32 numbers of each of the 8 groups and keeps what it gives. */
function fillGroups(codes: Int8Array, code: (group: number, k: number) => number): void {
  for (let group = 0, i = 0; group < 8; group++) {
    for (let k = 0; k < 32; k++) codes[i++] = code(group, k);
  }
}

/** The readers by name. */
export const kDequantizers: Record<string, Dequantize> = {
  Q2_K: reader({
    bytes: 84,
    subBlock: 16,
    dAt: 80,
    dMinAt: 82,
    unpack(bytes, at, { codes, scales, minima }) {
      for (let sub = 0; sub < 16; sub++) {
        scales[sub] = bytes[at + sub] & 15;
        minima[sub] = bytes[at + sub] >> 4;
      }
      fillGroups(codes, (group, k) => groupCode(bytes, at + 16, group, k, 2));
    },
  }),
  Q3_K: reader({
    bytes: 110,
    subBlock: 16,
    dAt: 108,
    unpack(bytes, at, { codes, scales }) {
      for (let sub = 0; sub < 16; sub++) {
        const low = (bytes[at + 96 + sub % 8] >> (sub < 8 ? 0 : 4)) & 15;
        const high = (bytes[at + 104 + sub % 4] >> 2 * (sub >> 2)) & 3;
        scales[sub] = (low | high << 4) - 32;
      }
      fillGroups(codes, (group, k) => {
        const isHigh = (bytes[at + k] >> group) & 1;
        return groupCode(bytes, at + 32, group, k, 2) - (isHigh ? 0 : 4);
      });
    },
  }),
  Q4_K: reader({
    bytes: 144,
    subBlock: 32,
    dAt: 0,
    dMinAt: 2,
    unpack(bytes, at, block) {
      unpackScales(bytes, at + 4, block);
      fillGroups(block.codes, (group, k) => groupCode(bytes, at + 16, group, k, 4));
    },
  }),
  Q5_K: reader({
    bytes: 176,
    subBlock: 32,
    dAt: 0,
    dMinAt: 2,
    unpack(bytes, at, block) {
      unpackScales(bytes, at + 4, block);
      fillGroups(block.codes, (group, k) => {
        const fifth = (bytes[at + 16 + k] >> group) & 1;
        const byte = bytes[at + 48 + 32 * (group >> 1) + k];
        return ((byte >> 4 * (group & 1)) & 15) | fifth << 4;
      });
    },
  }),
  Q6_K: reader({
    bytes: 210,
    subBlock: 16,
    dAt: 208,
    unpack(bytes, at, { codes, scales }) {
      for (let sub = 0; sub < 16; sub++) scales[sub] = bytes[at + 192 + sub];
      fillGroups(codes, (group, k) => {
        const half = group >> 2, inHalf = group & 3;
        const low = bytes[at + 64 * half + 32 * (inHalf & 1) + k] >> (inHalf < 2 ? 0 : 4) & 15;
        return (low | groupCode(bytes, at + 128, group, k, 2) << 4) - 32;
      });
    },
  }),
};
