import type { Random } from "../random.ts";
import { applyChange, type DetailKind } from "./details/change.ts";
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

/**
 * Makes exactly one clinical detail of a text wrong: a number, dose, unit, side, negation, sex,
 * duration or drug. A detail that is said more than once (a drug's name, the words of a sex) changes
 * in every place. Kinds are drawn alike, whatever number of each a text has; with `made`, a kind is
 * drawn in inverse proportion to (1 + made)².
 *
 * @returns `null` where the text has no detail that can be changed for certain.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createRandom } from "../random.ts";
 * import { corruptDetail } from "./hard_negatives.ts";
 * const wrong = corruptDetail("Pain in the left knee.", { random: createRandom(1) });
 * assert.deepEqual(wrong, {
 *   text: "Pain in the right knee.",
 *   kind: "side",
 *   before: "left knee",
 *   after: "right knee",
 * });
 * assert.equal(corruptDetail("Asthma.", { random: createRandom(1) }), null);
 * ```
 */
export function corruptDetail(
  text: string,
  { random, source = "", made = new Map() }: CorruptDetailOptions,
): CorruptedDetail | null {
  const details = findDetails(text, source);
  if (details.length === 0) return null;
  const supported = details.filter((detail) => detail.supported);
  const byKind = Map.groupBy(supported.length > 0 ? supported : details, ({ kind }) => kind);
  const kinds = [...byKind];
  const weights = kinds.map(([kind]) => (1 + (made.get(kind) ?? 0)) ** -2);
  const [kind, same] = pickWeighted(kinds, weights, random);
  const change = pick(pick(same, random).changes, random);
  const { before, after } = change;
  return { text: applyChange(text, change), kind, before, after };
}

/** Draws an item with a probability in proportion to its weight. */
function pickWeighted<T>(items: T[], weights: number[], random: Random): T {
  let rest = random.next() * weights.reduce((a, b) => a + b);
  const found = weights.findIndex((weight) => (rest -= weight) < 0);
  return items.at(found)!; // -1, where rounding left a rest, is the last
}

const pick = <T>(items: T[], random: Random): T => items[random.below(items.length)];
