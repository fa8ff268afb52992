import { quantile } from "./bootstrap.ts";

/**
 * Names the third that each whole number lies in, lowest to highest: "2 to 9 tokens". Equal numbers
 * share a third, so there are fewer where many are equal.
 */
export function terciles(values: readonly number[], unit: string): string[] {
  const sorted = values.toSorted((a, b) => a - b);
  const cuts = [1 / 3, 2 / 3].map((share) => Math.floor(quantile(sorted, share)));
  const third = (value: number) => cuts.filter((cut) => value > cut).length;
  const groups = Map.groupBy(values, third);
  return values.map((value) => {
    const group = groups.get(third(value))!;
    const low = group.reduce((a, b) => Math.min(a, b)),
      high = group.reduce((a, b) => Math.max(a, b));
    return low === high ? `${low} ${unit}` : `${low} to ${high} ${unit}`;
  });
}
