/** A number as people type it: 0.1, but 5e-6. */
export function formatNumber(value: number): string {
  return value !== 0 && Math.abs(value) < 0.001 ? value.toExponential() : String(value);
}
