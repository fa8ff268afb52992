/** How a floating-point number is stored in a checkpoint. */
export type FloatType = "F32" | "F16" | "BF16";

/** Bytes per number of each {@link FloatType}. */
export const floatBytes: Record<FloatType, number> = { F32: 4, F16: 2, BF16: 2 };

/**
 * Widens stored numbers to float32, exactly.
 *
 * @param bytes Little-endian numbers of `type`.
 * @param options.into Where the float32 go; as many as `bytes` holds.
 */
export function widenToFloat32(
  bytes: Uint8Array<ArrayBuffer>,
  { type, into }: { type: FloatType; into: Float32Array },
): void {
  if (type === "F32") {
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(bytes);
    return;
  }
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const halves = new Uint16Array(aligned.buffer, aligned.byteOffset, into.length);
  if (type === "F16") {
    into.set(new Float16Array(halves.buffer, halves.byteOffset, halves.length));
    return;
  }
  const bits = new Uint32Array(into.buffer, into.byteOffset, into.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
}

/**
 * Narrows float32 to stored numbers, to the nearest, ties to even; a NaN stays one.
 *
 * @param values Numbers; those too large for `type` become infinite, as in PyTorch.
 * @param options.into Where the little-endian bytes go; room for as many as `values` holds.
 */
export function narrowFloat32(
  values: Float32Array,
  { type, into }: { type: FloatType; into: Uint8Array<ArrayBuffer> },
): void {
  if (type === "F32") {
    into.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return;
  }
  const aligned = into.byteOffset % 2 === 0 ? into : new Uint8Array(into.length);
  const halves = [aligned.buffer, aligned.byteOffset, values.length] as const;
  if (type === "F16") new Float16Array(...halves).set(values);
  else narrowToBfloat16(values, new Uint16Array(...halves));
  if (aligned !== into) into.set(aligned);
}

function narrowToBfloat16(values: Float32Array, into: Uint16Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i], isNaN = (value & 0x7fffffff) > 0x7f800000;
    // Half of the last place kept, and one more where that place is odd.
    into[i] = isNaN ? value >>> 16 | 64 : (value + 0x7fff + (value >>> 16 & 1)) / 65536;
  }
}
