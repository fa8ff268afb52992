/**
 * The share of a text's word triples that it has said before: 0 in ordinary notes, near 1 in a text
 * that goes in circles.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { repetition } from "./repetition.ts";
 * assert.equal(repetition("Pain in the left knee."), 0);
 * assert.equal(repetition("no pain no pain no pain no pain"), 4 / 6);
 * ```
 */
export function repetition(text: string): number {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];
  const triples = words.slice(2).map((word, i) => `${words[i]} ${words[i + 1]} ${word}`);
  const again = triples.length - new Set(triples).size;
  return triples.length === 0 ? 0 : again / triples.length;
}
