/** Tokens in a group, padding included, above which no sequence joins any more. */
const GROUP_TOKENS = 4096;
/** Largest share of a group's tokens that may be padding. */
const PADDING_SHARE = 1 / 8;

/**
 * Sorts sequences by length, longest first, and puts neighbours of similar length together, so that
 * attention runs on few, well filled rectangles. Sequences of equal length keep their order.
 *
 * @param lengths Token counts.
 * @returns Indices into `lengths`, one list a group; each index once.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { groupByLength } from "./group_by_length.ts";
 * assert.deepEqual(groupByLength([100, 30, 98]), [[0, 2], [1]]);
 * ```
 */
export function groupByLength(lengths: readonly number[]): number[][] {
  const order = [...lengths.keys()].sort((a, b) => lengths[b] - lengths[a]);
  const groups: number[][] = [];
  let filled = 0;
  for (const index of order) {
    const group = groups.at(-1);
    const room = group && lengths[group[0]] * (group.length + 1);
    const padding = room && room - filled - lengths[index];
    if (group && room! <= GROUP_TOKENS && padding! <= room! * PADDING_SHARE) {
      group.push(index);
      filled += lengths[index];
    } else {
      groups.push([index]);
      filled = lengths[index];
    }
  }
  return groups;
}
