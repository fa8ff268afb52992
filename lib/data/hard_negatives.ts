import type { Random } from "../random.ts";
import { applyChange, type Change, type Detail, type DetailKind } from "./details/change.ts";
import { findDetails } from "./details/find_details.ts";

/** Options of {@link corruptDetail}. */
export type CorruptDetailOptions = {
  /** Where the choice comes from: the same stream gives the same change. */
  random: Random;
  /** What the text was written from: its details are preferred, and no value it states is put in. */
  source?: string;
  /** How many changes of each kind were made before: the more there were, the rarer the next. */
  made?: ReadonlyMap<DetailKind, number>;
};

/** A text with one detail wrong, and which. */
export type CorruptedDetail = { text: string; kind: DetailKind; before: string; after: string };

/** One way to make a text wrong, and what kind of detail that is. */
export type DrawnChange = { kind: DetailKind; change: Change };

/**
 * Makes exactly one clinical detail of a text wrong: a number, dose, side, drug, diagnosis, what is
 * denied, or another of {@link DETAIL_KINDS} but "addition". A detail that is said more than once (a
 * drug's name, the words of a sex) changes in every place. Kinds are drawn alike, whatever number of
 * each a text has; with `made`, a kind is drawn in inverse proportion to (1 + made)².
 *
 * @returns `null` where the text has no detail that can be changed for certain.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createRandom } from "../random.ts";
 * import { corruptDetail } from "./hard_negatives.ts";
 * const wrong = corruptDetail("Pain on the left side.", { random: createRandom(1) });
 * assert.deepEqual(wrong, {
 *   text: "Pain on the right side.",
 *   kind: "side",
 *   before: "left side",
 *   after: "right side",
 * });
 * assert.equal(corruptDetail("Wellness visit.", { random: createRandom(1) }), null);
 * ```
 */
export function corruptDetail(
  text: string,
  options: CorruptDetailOptions,
): CorruptedDetail | null {
  const { value, done } = drawChanges(text, options).next();
  if (done) return null;
  const { kind, change } = value, { before, after } = change;
  return { text: applyChange(text, change), kind, before, after };
}

/**
 * Draws all ways to make one detail of a text wrong, each once: first those of details that the
 * source states, kind by kind, so that no kind comes again before each other one has come.
 *
 * @param others Details beside those that are found in the text, such as what could be added.
 */
export function* drawChanges(
  text: string,
  { random, source = "", made = new Map() }: CorruptDetailOptions,
  others: Detail[] = [],
): Generator<DrawnChange, undefined> {
  const [stated, unstated] = partition([...findDetails(text, source), ...others]);
  for (const details of [stated, unstated]) {
    const drawn = new Map<DetailKind, number>(), used = new Set<Detail>();
    while (details.length > 0) {
      const byKind = [...Map.groupBy(details, ({ kind }) => kind)];
      const fewest = Math.min(...byKind.map(([kind]) => drawn.get(kind) ?? 0));
      const next = byKind.filter(([kind]) => (drawn.get(kind) ?? 0) === fewest);
      const weights = next.map(([kind]) => (1 + (made.get(kind) ?? 0)) ** -2);
      const [kind, same] = pickWeighted(next, weights, random);
      const unused = same.filter((detail) => !used.has(detail));
      const detail = pick(unused.length > 0 ? unused : same, random);
      const [change] = detail.changes.splice(random.below(detail.changes.length), 1);
      if (detail.changes.length === 0) details.splice(details.indexOf(detail), 1);
      drawn.set(kind, fewest + 1);
      used.add(detail);
      yield { kind, change };
    }
  }
}

/** Details that a source states and the others, in copies whose changes can be used up. */
function partition(details: Detail[]): [stated: Detail[], unstated: Detail[]] {
  const copies = details.map((detail) => ({ ...detail, changes: [...detail.changes] }));
  return [copies.filter(({ supported }) => supported), copies.filter((one) => !one.supported)];
}

/** Draws an item with a probability in proportion to its weight. */
function pickWeighted<T>(items: T[], weights: number[], random: Random): T {
  let rest = random.next() * weights.reduce((a, b) => a + b);
  const found = weights.findIndex((weight) => (rest -= weight) < 0);
  return items.at(found)!; // -1, where rounding left a rest, is the last
}

const pick = <T>(items: T[], random: Random): T => items[random.below(items.length)];
