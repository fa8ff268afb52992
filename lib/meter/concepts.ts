import { stem } from "./stem.ts";
import { BROADER, SYNONYMS } from "./synonyms.ts";
import { GENERIC_NAMES, isDiagnosis } from "./word_lists.ts";

/** Begins the key of a broader term, behind which its own stem stands. */
export const BROADER_KEY = "<";

/** A name of a concept: its stems in a row. */
export type Name = { stems: string[]; concept: string };

/** Words that a name may have or lack: "difficulty hearing", "difficulty in hearing". */
export const PASSED_OVER = new Set(
  "in with of to my your his her the a any when i from".split(" "),
);

const NAMES = buildNames();

function buildNames(): Map<string, Name[]> {
  const names: Name[] = [];
  const stemsOf = (name: string) => name.split(/[ \/'-]+/).filter(Boolean).map(stem);
  // "Shortness of breath" and "shortness breath", but "the runs" alone.
  const formsOf = (name: string) => {
    const whole = stemsOf(name);
    const telling = whole.filter((word) => !PASSED_OVER.has(word));
    return telling.length > 1 && telling.length < whole.length ? [whole, telling] : [whole];
  };
  const add = (concept: string, list: string) => {
    for (const name of list.split(",").map((text) => text.trim())) {
      if (name) formsOf(name).forEach((stems) => names.push({ stems, concept }));
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

/** Concepts that have a diagnosis among their names. */
const DIAGNOSIS_CONCEPTS = new Set(
  SYNONYMS.trim().split("\n").flatMap((line, i) =>
    line.split(",").some((name) => isDiagnosis(name.trim())) ? [`=${i}`] : []
  ),
);

/** Names of concepts that begin at a place of a row of stems, the longest first. */
export function namesAt(stems: readonly string[], at: number): Name[] {
  return (NAMES.get(stems[at]) ?? [])
    .filter(({ stems: name }) => name.every((one, k) => stems[at + k] === one));
}

/** Whether a concept is a diagnosis. */
export const namesDiagnosis = (concept: string) => DIAGNOSIS_CONCEPTS.has(concept);
