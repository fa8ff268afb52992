import { createRandom } from "../random.ts";

/** The ends of a confidence interval. */
export type Interval = [low: number, high: number];

/** A number from a sample, and between which ends it would lie in other samples; null where it can't be said. */
export type Estimated = { value: number | null; interval: Interval | null };

/** Options of {@link bootstrap}. */
export type BootstrapOptions = {
  /** How often the sample is drawn anew. Default 2000. */
  resamples?: number;
  /** Draws. Default 42. */
  seed?: number;
  /** The share of such intervals that hold the truth. Default 0.95. */
  level?: number;
};

/**
 * Puts intervals around what is computed from sums over items (pairs, or notes): the items are drawn
 * anew with replacement, as often as there are, again and again, and the middle 95 % of what comes
 * out are the interval. An item's columns stay together, so the difference of two models on the same
 * notes has the narrow interval of a paired comparison.
 *
 * With few items (below 30 or so), or where only four or five of them say anything but 0, the
 * interval is too narrow; see {@link shareInterval} for a sample in which nothing varies.
 *
 * **Source**: B. Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979; the percentile
 * method, with numpy's linear interpolation between order statistics.
 *
 * @param columns Numbers of each item, one column a quantity, all of the same length.
 * @param statistic Makes results from the columns' sums over a sample and its size. NaN says that
 * the sample doesn't tell (0 of 0), and is left out.
 * @returns Each result for the sample itself, with its interval.
 *
 * @example The mean of ten numbers.
 * ```ts
 * import assert from "node:assert/strict";
 * import { bootstrap } from "./bootstrap.ts";
 * const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
 * const [mean] = bootstrap([numbers], ([sum], count) => [sum / count]);
 * assert.equal(mean.value, 5.5);
 * const [low, high] = mean.interval!;
 * assert(low > 3.3 && low < 4.2 && high > 6.8 && high < 7.7);
 * ```
 */
export function bootstrap(
  columns: readonly ArrayLike<number>[],
  statistic: (sums: Float64Array, count: number) => number[],
  { resamples = 2000, seed = 42, level = 0.95 }: BootstrapOptions = {},
): Estimated[] {
  const width = columns.length, count = columns[0]?.length ?? 0;
  const rows = new Float64Array(count * width), sums = new Float64Array(width);
  columns.forEach((column, k) => {
    for (let i = 0; i < count; i++) rows[i * width + k] = column[i];
  });
  const random = createRandom(seed);
  const sumUp = (pick: (i: number) => number) => {
    sums.fill(0);
    for (let i = 0; i < count; i++) {
      const start = pick(i) * width;
      for (let k = 0; k < width; k++) sums[k] += rows[start + k];
    }
    return statistic(sums, count);
  };
  const values = sumUp((i) => i), draws = values.map(() => new Float64Array(resamples));
  for (let b = 0; b < resamples && count > 0; b++) {
    sumUp(() => random.below(count)).forEach((value, k) => draws[k][b] = value);
  }
  const tail = (1 - level) / 2;
  return values.map((value, k) => {
    const known = draws[k].filter((draw) => !Number.isNaN(draw)).sort();
    if (Number.isNaN(value) || count === 0) return { value: null, interval: null };
    return { value, interval: [quantile(known, tail), quantile(known, 1 - tail)] };
  });
}

/** The value below which a share of sorted numbers lies, interpolated linearly as numpy does. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1), below = Math.floor(at), rest = at - below;
  return rest === 0 ? sorted[below] : (1 - rest) * sorted[below] + rest * sorted[below + 1];
}

/**
 * The interval of a share between 0 and 1, where `count` items may all say the same: drawing them
 * anew changes nothing then, and yet none of 20 does not prove never. The end that could move is the
 * exact bound for a binomial share.
 *
 * **Source**: C. Clopper and E. Pearson, 1934; at 0 of n the upper end is 1 - (0.025)^(1/n), about 3.7 / n.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { shareInterval } from "./bootstrap.ts";
 * const { interval } = shareInterval({ value: 0, interval: [0, 0] }, 20);
 * assert.equal(interval![1].toFixed(3), "0.168"); // as scipy.stats.binomtest(0, 20) gives it
 * ```
 */
export function shareInterval({ value, interval }: Estimated, count: number): Estimated {
  if (interval === null || interval[0] !== interval[1]) return { value, interval };
  const near = 0.025 ** (1 / count);
  if (value === 0) return { value, interval: [0, 1 - near] };
  return { value, interval: value === 1 ? [near, 1] : interval };
}
