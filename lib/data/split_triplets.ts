import { UserError } from "../errors.ts";
import { formatCount } from "../format_count.ts";
import { createRandom, shuffle } from "../random.ts";
import type { Triplet } from "../types.ts";

/** Options of {@link splitTriplets}. */
export type SplitTripletsOptions = {
  /** Share of the triplets to hold back, 0.1 by default. */
  fraction?: number;
  seed?: number;
};

/**
 * Holds a share of the triplets back for validation. Triplets of one prompt stay together, so that
 * no prompt stands on both sides; the share is met as nearly as that allows, from below.
 *
 * @returns Both sides, each in the order given, neither empty.
 * @throws {UserError} When there are fewer than two different prompts.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { splitTriplets } from "./split_triplets.ts";
 * const triplets = Array.from({ length: 20 }, (_, i) => (
 *   { prompt: `note ${i}`, chosen: "a", rejected: "b" }
 * ));
 * const { train, validation } = splitTriplets(triplets, { fraction: 0.1, seed: 42 });
 * assert.deepEqual([train.length, validation.length], [18, 2]);
 * ```
 */
export function splitTriplets(
  triplets: readonly Triplet[],
  { fraction = 0.1, seed = 42 }: SplitTripletsOptions = {},
): { train: Triplet[]; validation: Triplet[] } {
  const byPrompt = Map.groupBy(triplets, ({ prompt }) => JSON.stringify(prompt));
  if (byPrompt.size < 2) {
    throw new UserError(
      `Cannot split ${formatCount(triplets.length, "triplet")} into training and validation: ` +
        `wanted at least 2 different prompts, found ${byPrompt.size}; add rows, or name a ` +
        "validation file (--val_file)",
    );
  }
  const share = Math.round(fraction * triplets.length);
  const wanted = Math.min(Math.max(1, share), triplets.length - 1);
  const held = new Set<Triplet>();
  for (const group of shuffle([...byPrompt.values()], createRandom(seed))) {
    if (held.size + group.length <= wanted) group.forEach((triplet) => held.add(triplet));
  }
  // Every prompt has more triplets than the share: the one with fewest is held back.
  const smallest = [...byPrompt.values()].reduce((a, b) => (b.length < a.length ? b : a));
  if (held.size === 0) smallest.forEach((triplet) => held.add(triplet));
  return {
    train: triplets.filter((triplet) => !held.has(triplet)),
    validation: triplets.filter((triplet) => held.has(triplet)),
  };
}
