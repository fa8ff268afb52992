import type { ScoreColumn } from "../../lib/evaluate/format_scores.ts";

/** What the demo measured, as it stands in `demo_result.json`. */
export type DemoResult = {
  notes: number;
  models: {
    name: string;
    sampledNotesWithWrongDetail: number;
    greedyNotesWithWrongDetail: number;
    /** Share of the notes' facts that the sampled summaries state rightly. */
    recall: number;
    meanTokens: number;
  }[];
};

/** Keeps what was measured for those who want to draw it. */
export function demoResult(columns: readonly ScoreColumn[]): DemoResult {
  return {
    notes: columns[0].sampled.notes,
    models: columns.map(({ name, sampled, greedy }) => ({
      name,
      sampledNotesWithWrongDetail: sampled.notesWithWrongDetail,
      greedyNotesWithWrongDetail: greedy.notesWithWrongDetail,
      recall: sampled.recalled / sampled.facts,
      meanTokens: sampled.tokens / sampled.notes,
    })),
  };
}
