import { UserError } from "../errors.ts";

/** The largest number of a half. */
const LARGEST_HALF = 65504;

/**
 * Refuses numbers that a format can't hold: whatever is built of halves (F16, and every quantised
 * format through its scales) ends at 65504, and of a NaN nothing would be left.
 *
 * @throws {UserError} At the first such number.
 */
export function checkRange(
  values: Float32Array,
  { dtype, name, path }: { dtype: string; name: string; path: string },
): void {
  if (dtype === "F32" || dtype === "BF16") return;
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(values[i]) <= LARGEST_HALF) continue;
    const wanted = `wanted numbers up to ${LARGEST_HALF}; choose bfloat16 or float32`;
    throw new UserError(
      `Cannot write "${path}": tensor "${name}" holds ${
        values[i]
      }, which ${dtype} can't hold, ${wanted}`,
      { path, field: name },
    );
  }
}
