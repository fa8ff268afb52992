import { distance } from "fastest-levenshtein";

/** Characters of a difference that are compared one by one. */
const LONGEST_DIFFERENCE = 4000;

/**
 * How alike two texts are: 1 - edits / characters of the longer. Equal beginnings and ends cost nothing
 * to compare; of what lies between, 4,000 characters are compared.
 */
export function similarity(a: string, b: string): number {
  const longest = Math.max(a.length, b.length), shortest = Math.min(a.length, b.length);
  if (longest === 0) return 1;
  let start = 0, end = 0;
  while (start < shortest && a[start] === b[start]) start++;
  while (end < shortest - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [onlyA, onlyB] = [a, b].map((text) => text.slice(start, text.length - end));
  const compared = [onlyA, onlyB].map((text) => text.slice(0, LONGEST_DIFFERENCE));
  const rest = Math.max(onlyA.length, onlyB.length) -
    Math.max(compared[0].length, compared[1].length);
  const edits = distance(compared[0], compared[1]);
  // What is not compared differs as much as what is.
  const scale = rest === 0 ? 1 : 1 + rest / LONGEST_DIFFERENCE;
  return Math.max(0, 1 - edits * scale / longest);
}
