import { type Detail, type DetailKind, fitsArticle, likeCase, type Search } from "./change.ts";

/** Which words are taken for each other, and where. */
export type NameRule = {
  kind: DetailKind;
  /** Names of which one is believed where another of its row stands. */
  groups: readonly (readonly string[])[];
  /** What must stand before a name, the text up to it. */
  before?: RegExp;
  /** What must follow it. */
  after?: RegExp;
  /** Mentions change one by one; without it, all of a name change together. */
  isEachItsOwn?: boolean;
  /** Also what is denied; without it, that is left to negations. */
  isDeniedToo?: boolean;
};

/** Words before which nothing but a sentence's end ends what they deny. */
const DENIED =
  /\b(?:no|not|non|never|nor|without|den(?:y|ies|ied|ying)|negative|free|rule)\b|n't\b/i;

/** Characters before a name that are looked at, so that no text takes more than linear time. */
const NEAR = 80, SENTENCE = 400;

/** The part of a sentence before its place. */
function begunSentence(text: string, place: number): string {
  const near = text.slice(Math.max(0, place - SENTENCE), place);
  return near.slice(near.search(/(?:[^.;:!?\n]|\.(?=\d))*$/));
}

/** Makes a finder of names, each with others of its group that the text and the source lack. */
export function nameFinder(
  { kind, groups, before, after, isEachItsOwn = false, isDeniedToo = false }: NameRule,
): (search: Search) => Detail[] {
  const names = groups.flat().toSorted((a, b) => b.length - a.length);
  const found = new RegExp(`(?<![\\w-])(?:${names.join("|")})(?![\\w-])`, "gi");
  const inSource = new Map(
    names.map((name) => [name, new RegExp(`\\b${name.replace(/s$/, "")}(?:s|es)?\\b`, "i")]),
  );
  const fits = (text: string, { 0: word, index }: RegExpExecArray) =>
    (before?.test(text.slice(Math.max(0, index - NEAR), index)) ?? true) &&
    (after?.test(text.slice(index + word.length)) ?? true) &&
    (isDeniedToo || !DENIED.test(begunSentence(text, index)));

  return ({ text, source }) => {
    const all = [...text.matchAll(found)], mentions = all.filter((match) => fits(text, match));
    const own = new Set(all.map(([name]) => name.toLowerCase()));
    const keyOf = ({ 0: name, index }: RegExpExecArray) =>
      isEachItsOwn ? index : name.toLowerCase();
    return [...Map.groupBy(mentions, keyOf).values()].map((same) => {
      const [[first]] = same, key = first.toLowerCase();
      const group = groups.find((row) => row.some((name) => name.toLowerCase() === key))!;
      const changes = group
        .filter((name) => !own.has(name.toLowerCase()) && !inSource.get(name)!.test(source.text))
        .filter((name) => same.every(({ index }) => fitsArticle(text, index, name)))
        .map((name) => ({
          before: first,
          after: likeCase(name, first),
          edits: same.map(({ 0: word, index }) => ({
            start: index,
            end: index + word.length,
            text: likeCase(name, word),
          })),
        }));
      const stated = group.find((name) => name.toLowerCase() === key)!;
      return { kind, supported: inSource.get(stated)!.test(source.text), changes };
    });
  };
}
