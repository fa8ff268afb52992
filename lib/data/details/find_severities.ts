import { type Detail, fitsArticle, replaceAt, type Search } from "./change.ts";
import { nameFinder } from "./name_finder.ts";

const GROUPS = [["mild", "moderate", "severe"], ["mildly", "moderately", "severely"]];
const findWords = nameFinder({
  kind: "severity",
  groups: GROUPS,
  before: /(?<!\b(?:to|or|and|very|more|most|too|\w+ly) |-)$/i,
  after: /^(?! (?:to|or|and|cognitive|acute|severe)\b|-)/i,
  isEachItsOwn: true,
});

/** "7 out of 10", "7/10" */
const SCALE = /(?<![\w./-])(\d{1,2})(?= ?\/ ?10\b(?!\/)| out of (?:10|ten)\b)/g;

/** Finds how bad something is, in words or on a scale of ten. */
export function findSeverities(search: Search): Detail[] {
  const { text, source } = search;
  const scales = [...text.matchAll(SCALE)].map(({ 0: before, index }): Detail => {
    const value = Number(before);
    const changes = [2, 3, 4].flatMap((step) => [value - step, value + step])
      .filter((n) => n >= 1 && n <= 9 && !source.numbers.has(n))
      .filter((n) => fitsArticle(text, index, String(n)))
      .map((n) => replaceAt(index, before, String(n)))
      .map((change) => ({ ...change, before: `${before}/10`, after: `${change.after}/10` }));
    return { kind: "severity", supported: source.numbers.has(value), changes };
  });
  return [...findWords(search), ...scales];
}
