import { type Detail, likeCase, replaceAt, type Search } from "./change.ts";

const SETS = [
  ["once", "twice", "three times", "four times"],
  ["b.i.d.", "t.i.d.", "q.i.d."],
];
const SPOKEN =
  /(?<!\b(?:to|or) )\b(?:once|twice|three times|four times)(?= (?:a|per|each|every) (?:day|week|month)\b| (?:daily|weekly|monthly)\b)/gi;
const WRITTEN = /\b(?:[btq]\.i\.d\.)/gi;

/** Finds how often something is taken or done, each with other frequencies. */
export function findFrequencies({ text, source }: Search): Detail[] {
  return [SPOKEN, WRITTEN].flatMap((found) => [...text.matchAll(found)]).map(
    ({ 0: before, index }) => {
      const known = SETS.find((set) => set.includes(before.toLowerCase()))!;
      const others = known.filter((word) =>
        word !== before.toLowerCase() && !source.text.includes(word)
      );
      return {
        kind: "frequency" as const,
        supported: source.text.includes(before.toLowerCase()),
        changes: others.map((word) => replaceAt(index, before, likeCase(word, before))),
      };
    },
  );
}
