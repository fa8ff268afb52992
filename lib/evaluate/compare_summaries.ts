import type { UnseenNote } from "../data/embedded_data.ts";
import { noteFacts, type NoteFactsResult } from "./note_facts.ts";

/** A summary as a model wrote it, and its length. */
export type WrittenSummary = { text: string; tokens: number };

/** Sums over notes, so that a share never depends on how the notes were batched. */
export type SummaryScores = {
  notes: number;
  /** Summaries with at least one wrong or unsupported detail. */
  notesWithWrongDetail: number;
  /** Facts stated rightly, of `facts` there were. */
  recalled: number;
  facts: number;
  tokens: number;
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
 * const truth = notes.map(({ facts }) => ({ text: writeSummary(facts), tokens: 34 }));
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
  return {
    notes: notes.length,
    notesWithWrongDetail: each.filter((found) => found.wrong.length > 0).length,
    recalled: sum(each.map((found) => found.recalled)),
    facts: sum(each.map((found) => found.total)),
    tokens: sum(summaries.map((summary) => summary.tokens)),
    each,
  };
}

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
