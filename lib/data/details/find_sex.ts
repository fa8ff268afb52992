import { type Detail, type Edit, likeCase, type Search } from "./change.ts";

const NOUNS: [string, string][] = [
  ["male", "female"],
  ["man", "woman"],
  ["gentleman", "lady"],
  ["boy", "girl"],
];
const PRONOUNS: [string, string][] = [
  ["he", "she"],
  ["himself", "herself"],
  ["mr", "ms"],
  ["mr", "mrs"],
];
/** Words that hold for one sex, or that speak of someone else: the change would not read true. */
const TIED =
  /\b(?:wife|husband|mother|father|moms?|dads?|sons?|daughters?|brothers?|sisters?|aunts?|uncles?|grand\w+|boyfriend|girlfriend|widow\w*|parents?|prostat\w*|testic\w*|penile|penis|scrot\w*|vasectomy|erectile|pregnan\w*|gravida|para|menstru\w*|menses|menopaus\w*|uter\w+|hysterectomy|ovar\w*|vagin\w*|cervi(?:x|cal smear)|pap|mammogram|obstetric\w*|gyn\w*|deliver\w*|birth)\b/i;
/** Words of a man, whoever he is. */
export const MALE =
  /\b(?:he|him|his|himself|male|man|men|gentleman|boy|sir|mister|mr|guy|dude|fella)\b/i;
/** Words of a woman, whoever she is. */
export const FEMALE =
  /\b(?:she|her|hers|herself|female|woman|women|lady|girl|ma'?am|madam|miss|mrs|ms)\b/i;

/** Finds the patient's sex where it is said in a noun; nouns and pronouns change together. */
export function findSex({ text, source }: Search): Detail[] {
  const male = MALE.test(text);
  if (male === FEMALE.test(text) || TIED.test(text)) return [];
  if ((male ? FEMALE : MALE).test(source.text)) return [];
  const pair = (pairs: [string, string][]) =>
    new Map(pairs.map(([m, f]) => male ? [m, f] : [f, m]) as [string, string][]);
  const nouns = pair(NOUNS);
  const noun = [...nouns.keys()].find((word) => new RegExp(`\\b${word}\\b`, "i").test(text));
  if (noun === undefined) return [];
  const words = new Map([...nouns, ...pair(PRONOUNS)]);
  const edits: Edit[] = [];
  for (const { 0: word, index } of text.matchAll(/\b[a-z]+\b/gi)) {
    const end = index + word.length;
    const other = words.get(word.toLowerCase()) ?? possessive(word, text.slice(end));
    if (other) edits.push({ start: index, end, text: likeCase(other, word) });
  }
  const changes = [{ before: noun, after: nouns.get(noun)!, edits }];
  return [{ kind: "sex", supported: (male ? MALE : FEMALE).test(source.text), changes }];
}

/** "his", "him" and "her": what follows tells whether "her" owns something. */
function possessive(word: string, after: string): string | undefined {
  switch (word.toLowerCase()) {
    case "his":
      return /^ [a-z]/i.test(after) ? "her" : "hers";
    case "him":
      return "her";
    case "hers":
      return "his";
    case "her":
      return /^(?:[^\w\s]|$| (?:to|in|on|at|for|from|with|and|or|but|by|as|that|if|when|a|an|the|about|into|up|down|out|back|off|over|down)\b)/i
          .test(after)
        ? "him"
        : "his";
  }
}
