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
