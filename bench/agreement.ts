/** The chance that a positive scores above a negative, a tie counting half; NaN without either. */
export function areaUnderCurve(positive: number[], negative: number[]): number {
  const ranks = rank([...positive, ...negative]);
  const sum = ranks.slice(0, positive.length).reduce((a, b) => a + b, 0);
  const least = positive.length * (positive.length + 1) / 2;
  return (sum - least) / (positive.length * negative.length);
}

/** Spearman's rank correlation, ties at their mean rank. */
export function rankCorrelation(xs: number[], ys: number[]): number {
  const [a, b] = [rank(xs), rank(ys)];
  const mean = (xs.length + 1) / 2;
  const product = (u: number[], v: number[]) =>
    u.reduce((sum, value, i) => sum + (value - mean) * (v[i] - mean), 0);
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
}

/** Ranks from 1, equal values at their mean. */
function rank(values: number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const ranks = new Array<number>(values.length);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let i = from; i < to; i++) ranks[order[i]] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}

/** The least score that is called positive for the best mean of both classes' shares. */
export function bestThreshold(rows: { score: number; positive: boolean }[]): number {
  const share = (positive: boolean, threshold: number) => {
    const same = rows.filter((row) => row.positive === positive);
    return same.filter((row) => (row.score >= threshold) === positive).length / same.length;
  };
  const thresholds = [...new Set(rows.map(({ score }) => score))].sort((a, b) => a - b);
  const worth = thresholds.map((threshold) => share(true, threshold) + share(false, threshold));
  return thresholds[worth.indexOf(Math.max(...worth))];
}
