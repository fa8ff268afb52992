import { stem } from "./stem.ts";
import { BROADER, SYNONYMS } from "./synonyms.ts";
import { GENERIC_NAMES } from "./word_lists.ts";

/** Begins the key of a broader term, behind which its own stem stands. */
export const BROADER_KEY = "<";

/** A name of a concept: its stems in a row. */
type Name = { stems: string[]; concept: string };

const NAMES = buildNames();

function buildNames(): Map<string, Name[]> {
  const names: Name[] = [];
  const stemsOf = (name: string) => name.split(/[ \/'-]+/).filter(Boolean).map(stem);
  const add = (concept: string, list: string) => {
    for (const name of list.split(",").map((text) => text.trim())) {
      if (name) names.push({ stems: stemsOf(name), concept });
    }
  };
  SYNONYMS.trim().split("\n").forEach((line, i) => add(`=${i}`, line));
  BROADER.trim().split("\n").forEach((line) => {
    const [broad, narrow] = line.split("<");
    add(`${BROADER_KEY}${stemsOf(broad.trim())[0]}`, narrow);
  });
  for (const [name, generic] of GENERIC_NAMES) {
    names.push({ stems: [stem(name)], concept: `rx ${generic}` });
  }
  const byFirst = Map.groupBy(names, ({ stems }) => stems[0]);
  for (const same of byFirst.values()) same.sort((a, b) => b.stems.length - a.stems.length);
  return byFirst;
}

/** The concepts that begin at a place of a row of stems, with how many stems name each. */
export function conceptsAt(
  stems: readonly string[],
  at: number,
): { concept: string; length: number }[] {
  return (NAMES.get(stems[at]) ?? [])
    .filter(({ stems: name }) => name.every((one, k) => stems[at + k] === one))
    .map(({ stems: name, concept }) => ({ concept, length: name.length }));
}
