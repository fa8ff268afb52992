import { type Claim, CLAIM_KINDS, type ClaimKind, claimsOf } from "./claims.ts";
import { isSupported } from "./is_supported.ts";
import { readText } from "./read_text.ts";
import { indexSource, type SourceIndex } from "./source_index.ts";

/** A detail that the source does not bear out, and where it stands in the text. */
export type UnsupportedDetail = { text: string; kind: ClaimKind; start: number; end: number };

/** Details of one kind. */
export type KindCount = { details: number; unsupported: number };

/** What a text states, held against its source. */
export type HallucinationResult = {
  /** Different details that the text states. */
  details: number;
  /** Those that the source does not bear out, in the text's order. */
  unsupported: UnsupportedDetail[];
  /** Unsupported details / details; 0 where the text states none. */
  rate: number;
  /** The share of the reference's details that the text states; `null` without a reference. */
  recall: number | null;
  byKind: Record<ClaimKind, KindCount>;
};

/** Options of {@link measureHallucination}. */
export type MeasureHallucinationOptions = {
  /** What a good text says: `recall` tells how much of it the text says. */
  reference?: string;
};

/**
 * Finds the details of a text that its source does not bear out: numbers with their units, doses,
 * dates, durations, ages, the sex, sides, drugs, diagnoses, what is denied or affirmed, and other
 * content words. No model judges: the texts are read by rules and word lists of this project.
 *
 * It reads spoken numbers ("twenty six"), converts units where that is exact, knows inflection,
 * clinical abbreviations and plain words for clinical ones, follows denials through a sentence and
 * from a question to its answer, and tells one relative's illness from another's and one drug's dose
 * from another's. What is said twice counts once. What every note is made of ("patient", "reports")
 * counts as nothing.
 *
 * It does not see what is implied or paraphrased beyond its lists (which it blames), nor true words in
 * other wrong relations (which it passes). docs/meter.md tells how well it agrees with people: as a
 * rate over many texts it is worth more than for one text.
 *
 * **Source**: denials in the way of NegEx (Chapman et al., "A Simple Algorithm for Identifying
 * Negated Findings and Diseases in Discharge Summaries", 2001), with scopes of this project.
 * **Units**: counts of details; places in UTF-16 units, as `slice` takes them; rates from 0 to 1.
 * **Time**: linear in the texts' lengths.
 *
 * @param text What was written, English.
 * @param source What it was written from: a note, or a dialogue with "Doctor:" and "Patient:".
 * @returns What was found; nothing is kept.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { measureHallucination } from "./measure_hallucination.ts";
 * const source = "Doctor: Any fever?\nPatient: No, but my left knee hurts for fourteen days.";
 * const text = "Right knee pain for 2 weeks, no fever.";
 * const { unsupported, recall } = measureHallucination(text, source, {
 *   reference: "Left knee pain.",
 * });
 * assert.deepEqual(unsupported, [{ text: "Right", kind: "side", start: 0, end: 5 }]);
 * assert.equal(recall, 2 / 3);
 * ```
 */
export function measureHallucination(
  text: string,
  source: string,
  { reference }: MeasureHallucinationOptions = {},
): HallucinationResult {
  return measureAgainst(text, readSource(source), { reference });
}

/** Reads a source once, to hold several texts against it. */
export const readSource = (source: string): SourceIndex => indexSource(readText(source));

/** Holds a text against a source that was read before, as {@link measureHallucination} does. */
export function measureAgainst(
  text: string,
  source: SourceIndex,
  { reference }: MeasureHallucinationOptions = {},
): HallucinationResult {
  const judged = judge(claimsOf(readText(text)), source);
  const byKind = Object.fromEntries(
    CLAIM_KINDS.map((kind) => [kind, { details: 0, unsupported: 0 }]),
  ) as Record<ClaimKind, KindCount>;
  const unsupported: UnsupportedDetail[] = [];
  for (const { claim: { kind, start, end }, supported } of judged) {
    byKind[kind].details++;
    if (supported) continue;
    byKind[kind].unsupported++;
    unsupported.push({ text: text.slice(start, end), kind, start, end });
  }
  return {
    details: judged.length,
    unsupported,
    rate: judged.length === 0 ? 0 : unsupported.length / judged.length,
    recall: reference === undefined ? null : recallOf(reference, text),
    byKind,
  };
}

function judge(claims: Claim[], index: SourceIndex): { claim: Claim; supported: boolean }[] {
  return claims.flatMap((claim) => {
    const supported = isSupported(claim, index);
    return supported === null ? [] : [{ claim, supported }];
  });
}

/** The share of a reference's details that a text bears out; of its words, where it has none. */
function recallOf(reference: string, text: string): number | null {
  const read = readText(reference), written = readSource(text);
  const details = judge(claimsOf(read), written);
  const judged = details.length > 0 ? details : judge(claimsOf(read, { everyWord: true }), written);
  const stated = judged.filter(({ supported }) => supported).length;
  return judged.length === 0 ? null : stated / judged.length;
}
