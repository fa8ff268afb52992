import { applyChange, type DetailKind } from "../data/details/change.ts";
import { type CorruptedDetail, drawChanges } from "../data/hard_negatives.ts";
import { similarity } from "../data/similarity.ts";
import type { Random } from "../random.ts";
import { findAdditions } from "./find_additions.ts";
import { truthCheck } from "./truth_check.ts";

/** Changes that are tried of one text; a bound, so that no text takes long. */
const MOST_TRIES = 60;

/** What a wrong text must be like. */
export type NegativeLimits = {
  /** Most wrong texts of one text, 1 by default; of different kinds as far as there are any. */
  negatives?: number;
  /** Greatest difference of length, as a share of the text's; 0.25 by default. */
  maxLengthDifference?: number;
  /** Least likeness, 0.5 by default: 1 - edits / characters of the longer. */
  minSimilarity?: number;
};

/** Options of {@link makeNegatives}. */
export type MakeNegativesOptions = NegativeLimits & {
  random: Random;
  /** How many of each kind were made before: the more there were, the rarer the next. */
  made?: ReadonlyMap<DetailKind, number>;
  /** Sentences of other notes, one of which can be added; none by default. */
  sentences?: readonly string[];
};

/** Changes that were tried and not kept, by what was wrong with them. */
export type DroppedChanges = {
  /** Too different in length. */
  length: number;
  /** Too little alike. */
  similarity: number;
  /** The source doesn't bear out the detail that was to be changed. */
  baseless: number;
  /** The meter finds nothing wrong: it may still be true. */
  maybeTrue: number;
};

/**
 * Makes texts that differ from a true one in one detail that its source does not bear out, by the
 * meter's reading. A change is dropped where the source doesn't state the detail that it changes, or
 * where the meter finds no fault in the changed text. Deterministic for a `random` of one seed.
 *
 * **Units**: lengths in UTF-16 units.
 * **Time**: at most 60 changes are tried of one text, each read once by the meter.
 *
 * @param text What was written, English and true.
 * @param source What it was written from.
 * @returns The wrong texts, each with what was changed, and what was tried and dropped.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createRandom } from "../random.ts";
 * import { makeNegatives } from "./make_negatives.ts";
 * const source = "Doctor: Any fever?\nPatient: No, but my left eye hurts since the stroke.";
 * const { negatives, dropped } = makeNegatives("Left eye pain, has no fever, had a rash.", source, {
 *   random: createRandom(1),
 *   negatives: 3,
 * });
 * assert.deepEqual(negatives.map(({ text }) => text).toSorted(), [
 *   "Left ear pain, has no fever, had a rash.",
 *   "Left eye pain, has fever, had a rash.",
 *   "Right eye pain, has no fever, had a rash.",
 * ]);
 * assert.equal(dropped.maybeTrue, 0);
 * ```
 */
export function makeNegatives(
  text: string,
  source: string,
  {
    random,
    made,
    sentences = [],
    negatives = 1,
    maxLengthDifference = 0.25,
    minSimilarity = 0.5,
  }: MakeNegativesOptions,
): { negatives: CorruptedDetail[]; dropped: DroppedChanges } {
  const room = maxLengthDifference * text.length;
  const others = findAdditions(text, { sentences, room, random });
  const kept: CorruptedDetail[] = [], texts = new Set<string>();
  const dropped: DroppedChanges = { length: 0, similarity: 0, baseless: 0, maybeTrue: 0 };
  let check: ReturnType<typeof truthCheck> | undefined, tries = 0;
  for (const { kind, change } of drawChanges(text, { random, source, made }, others)) {
    if (tries++ === MOST_TRIES) break;
    const wrong = applyChange(text, change);
    if (texts.has(wrong)) continue;
    if (Math.abs(wrong.length - text.length) > room) dropped.length++;
    else if (similarity(text, wrong) < minSimilarity) dropped.similarity++;
    else {
      check ??= truthCheck(text, source);
      const verdict = check(wrong, change.edits);
      if (verdict === "baseless") dropped.baseless++;
      else if (verdict === "unsure") dropped.maybeTrue++;
      else {
        const { before, after } = change;
        texts.add(wrong);
        kept.push({ text: wrong, kind, before, after });
        if (kept.length === negatives) break;
      }
    }
  }
  return { negatives: kept, dropped };
}
