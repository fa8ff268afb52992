/**
 * A sum of float64 numbers without rounding: a list of numbers that do not overlap and whose
 * mathematical sum is the exact one, so that neither order nor grouping changes the result.
 *
 * **Source**: J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic", 1997 (grow-expansion),
 * as in Python's `math.fsum`.
 */
export type ExactSum = number[];

/** Adds a number in place. What is not finite leaves a sum that is not finite. */
export function addExactly(sum: ExactSum, value: number): void {
  let kept = 0;
  for (let part of sum) {
    if (Math.abs(value) < Math.abs(part)) [value, part] = [part, value];
    const high = value + part;
    const low = part - (high - value);
    if (low !== 0) sum[kept++] = low;
    value = high;
  }
  sum.length = kept;
  sum.push(value);
}

/** The sum as one number: the float64 nearest to it, whatever was added in which order. */
export function roundSum(sum: ExactSum): number {
  let total = 0, rest = 0, i = sum.length;
  while (i > 0 && rest === 0) {
    const part = sum[--i];
    const before = total;
    total = before + part;
    rest = part - (total - before);
  }
  // Halfway cases: what lies below decides the direction.
  if (i > 0 && Math.sign(rest) === Math.sign(sum[i - 1])) {
    const twice = rest * 2;
    if (twice === total + twice - total) total += twice;
  }
  return total;
}
