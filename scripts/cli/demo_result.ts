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
