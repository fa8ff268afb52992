/** A number in three digits that say something: "0.693", "1,240", "5e-6". */
export function shortNumber(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (value !== 0 && Math.abs(value) < 1e-3) {
    return value.toExponential(1).replace(".0e", "e").replace(/^-/, "−");
  }
  const rounded = Number(value.toPrecision(3));
  return rounded.toLocaleString("en-US", { maximumFractionDigits: 4 }).replace("-", "−");
}

/** A share as people read it: "7.5%". */
export function shortPercent(share: number | null | undefined): string {
  if (share === null || share === undefined || Number.isNaN(share)) return "–";
  return `${(100 * share).toFixed(1)}%`.replace(".0%", "%");
}

/** A number with its sign: "+0.45", "−5.3". */
export function signed(value: number): string {
  return (value > 0 ? "+" : "") + shortNumber(value);
}
