import { CLAIM_KINDS, type ClaimKind } from "./claims.ts";
import type { HallucinationResult, KindCount } from "./measure_hallucination.ts";

/** Sums over texts: no share depends on how the texts were batched. */
export type HallucinationSums = {
  texts: number;
  /** Texts with at least one unsupported detail. */
  textsWithHallucination: number;
  details: number;
  unsupported: number;
  /** Unsupported details / details; 0 where there are none. */
  rate: number;
  /** The mean of the recalls there are; `null` where there is none. */
  recall: number | null;
  byKind: Record<ClaimKind, KindCount>;
};

/**
 * Adds up what was measured of many texts.
 *
 * @param results What {@link measureHallucination} gave of each.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { measureHallucination } from "./measure_hallucination.ts";
 * import { sumHallucination } from "./sum_hallucination.ts";
 * const source = "She is 54 and takes aspirin.";
 * const texts = ["Aged 54, on aspirin.", "Aged 45, on aspirin."];
 * const sums = sumHallucination(texts.map((text) => measureHallucination(text, source)));
 * assert.deepEqual([sums.details, sums.unsupported, sums.textsWithHallucination], [4, 1, 1]);
 * assert.equal(sums.byKind.age.unsupported, 1);
 * ```
 */
export function sumHallucination(results: readonly HallucinationResult[]): HallucinationSums {
  const add = (values: number[]) => values.reduce((a, b) => a + b, 0);
  const details = add(results.map((result) => result.details));
  const unsupported = add(results.map((result) => result.unsupported.length));
  const recalls = results.map(({ recall }) => recall).filter((recall) => recall !== null);
  return {
    texts: results.length,
    textsWithHallucination: results.filter((result) => result.unsupported.length > 0).length,
    details,
    unsupported,
    rate: details === 0 ? 0 : unsupported / details,
    recall: recalls.length === 0 ? null : add(recalls) / recalls.length,
    byKind: Object.fromEntries(CLAIM_KINDS.map((kind) => [kind, {
      details: add(results.map(({ byKind }) => byKind[kind].details)),
      unsupported: add(results.map(({ byKind }) => byKind[kind].unsupported)),
    }])) as Record<ClaimKind, KindCount>,
  };
}
