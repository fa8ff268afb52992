import type { FactKind } from "../data/synthetic_notes.ts";
import type { UnseenNote } from "../data/embedded_data.ts";
import { noteFacts, type NoteFactsResult, type WrongDetail } from "./note_facts.ts";

/** A summary as a model wrote it; `stopped` is false where it ran into the limit of new tokens. */
export type WrittenSummary = { text: string; tokens: number; stopped: boolean };

/** Sums over notes, so that a share never depends on how the notes were batched. */
export type SummaryScores = {
  notes: number;
  /** Summaries with at least one wrong or unsupported detail. */
  notesWithWrongDetail: number;
  wrongDetails: number;
  /** How often each kind of detail was wrong. */
  wrongByKind: Partial<Record<WrongDetail["kind"], number>>;
  /** Facts stated rightly, of `facts` there were. */
  recalled: number;
  facts: number;
  /** Facts that no summary stated, rightly or wrongly, by kind. */
  missingByKind: Partial<Record<FactKind, number>>;
  tokens: number;
  stopped: number;
  /** What each summary got right and wrong, in the notes' order. */
  each: NoteFactsResult[];
};

/**
 * Compares summaries with the facts of the notes that they summarise.
 *
 * **Units**: counts; `tokens` without the end token.
 *
 * @throws {RangeError} when there is not one summary for each note.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { unseenNotes } from "../data/embedded_data.ts";
 * import { writeSummary } from "../data/synthetic_notes.ts";
 * import { compareSummaries } from "./compare_summaries.ts";
 * const notes = unseenNotes();
 * const truth = notes.map(({ facts }) => ({ text: writeSummary(facts), tokens: 34, stopped: true }));
 * const scores = compareSummaries(notes, truth);
 * assert.equal(scores.notesWithWrongDetail, 0);
 * assert.equal(scores.recalled, scores.facts);
 * ```
 */
export function compareSummaries(
  notes: readonly UnseenNote[],
  summaries: readonly WrittenSummary[],
): SummaryScores {
  if (notes.length !== summaries.length) {
    throw new RangeError(`${notes.length} notes, but ${summaries.length} summaries`);
  }
  const each = summaries.map(({ text }, i) => noteFacts(text, notes[i].facts));
  const wrong = each.flatMap((found) => found.wrong.map((detail) => detail.kind));
  return {
    notes: notes.length,
    notesWithWrongDetail: each.filter((found) => found.wrong.length > 0).length,
    wrongDetails: wrong.length,
    wrongByKind: countEach(wrong),
    recalled: sum(each.map((found) => found.recalled)),
    facts: sum(each.map((found) => found.total)),
    missingByKind: countEach(each.flatMap((found) => found.missing)),
    tokens: sum(summaries.map((summary) => summary.tokens)),
    stopped: summaries.filter((summary) => summary.stopped).length,
    each,
  };
}

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

function countEach<K extends string>(names: K[]): Partial<Record<K, number>> {
  const counts: Partial<Record<K, number>> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
