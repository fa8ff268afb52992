import { BETWEEN, PARTS } from "../data/details/find_sides.ts";
import { stem } from "./stem.ts";
import type { Token } from "./tokens.ts";

/** A side of the body, and of which part. */
export type Side = { token: number; side: "left" | "right" | "both"; part: string | null };

const PART = new RegExp(`^(?:${PARTS})(?:s|es)?$`);
const PASSED = new RegExp(`^(?:${BETWEEN}|-|side|sided|of|the|my|his|her|your|and)$`);

/** Whether a word names a part of the body that has two sides. */
export const isPart = (word: string) => PART.test(word);

/** Finds "left", "right" and "bilateral" of a body's part; `null` where no part stands near. */
export function readSides(tokens: Token[]): Side[] {
  return tokens.flatMap(({ word }, token): Side[] => {
    const both = /^bilateral(?:ly)?$/.test(word);
    if (word !== "left" && word !== "right" && !both) return [];
    let i = token + 1;
    while (i < tokens.length && i < token + 6 && PASSED.test(tokens[i].word)) i++;
    const next = tokens[i]?.word ?? "";
    const part = PART.test(next) ? stem(next) : null;
    // "left" is a verb, and "right" agrees, where no part and no "side" follows.
    const named = part !== null || i > token + 1 && /^side/.test(tokens[token + 1].word) ||
      tokens[token + 1]?.word === "-";
    return named || both ? [{ token, side: both ? "both" : word as "left" | "right", part }] : [];
  });
}
