/**
 * The data that the repository carries or makes: which seed, how many, what share is wrong. Each
 * set has its own seed, so that none shares a note with another.
 */
import type { Example } from "../types.ts";
import { createRandom } from "../random.ts";
import {
  type ClinicalCase,
  drawCase,
  drawExample,
  drawPair,
  type NotePair,
  writeNote,
} from "./synthetic_notes.ts";

/** A note nobody trained on, with its facts. */
export type UnseenNote = { facts: ClinicalCase; prompt: string };

/** Seed, size and share of flawed answers of each set. */
export const EMBEDDED_SETS = {
  stageA: { seed: 101, count: 32_000, errorRate: 0.35 },
  train: { seed: 202, count: 4_000, chosenErrorRate: 0.25 },
  validation: { seed: 303, count: 250, chosenErrorRate: 0.25 },
  unseen: { seed: 404, count: 200 },
} as const;

/** Draws the examples that Stage A learns from, one at a time: each is read once. */
export function* embeddedExamples(): Generator<Example> {
  const { seed, count, errorRate } = EMBEDDED_SETS.stageA;
  const random = createRandom(seed);
  for (let i = 0; i < count; i++) yield drawExample(random, { errorRate });
}

/** The texts that the embedded tokenizer is trained on: enough for each word to occur. */
export function tokenizerTexts(): string[] {
  return Array.from(embeddedExamples().take(5000), (e) => `${e.prompt}${e.completion}`);
}

/** Draws the triplets of `phase2_data/dpo/`. */
export function embeddedPairs(set: "train" | "validation"): NotePair[] {
  const { seed, count, chosenErrorRate } = EMBEDDED_SETS[set];
  const random = createRandom(seed);
  return Array.from({ length: count }, () => drawPair(random, { chosenErrorRate }));
}

/** Draws the notes on which the demo measures what was learned. */
export function unseenNotes(): UnseenNote[] {
  const { seed, count } = EMBEDDED_SETS.unseen;
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const facts = drawCase(random);
    return { facts, prompt: writeNote(facts, random) };
  });
}
