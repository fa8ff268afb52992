import type { Detail, Search } from "./change.ts";
import { nameFinder } from "./name_finder.ts";

const GROUPS = [
  "mother, father",
  "sister, brother",
  "sisters, brothers",
  "daughter, son",
  "daughters, sons",
  "aunt, uncle",
  "grandmother, grandfather",
  "maternal, paternal",
].map((line) => line.split(", "));
const find = nameFinder({
  kind: "relative",
  groups: GROUPS,
  after: /^(?!-| (?:in law|and|or)\b)/i,
});
const PRONOUN = /\b(?:he|she|his|her|him|hers|himself|herself)\b/i;
/** What only one of them can have. */
const TIED = /\b(?:breast|prostat|ovar|uter|cervi|testic|pregnan|husband|wife|birth|mom|dad)\w*/i;

/** Finds relatives, each with one of the other sex, where no pronoun tells which it was. */
export function findRelatives(search: Search): Detail[] {
  return find(search).filter(({ changes }) =>
    changes.every(({ edits }) =>
      edits.every(({ end }) => {
        const rest = /^[^.;\n]*(?:[.;\n]\s*\w+)?/.exec(search.text.slice(end))![0];
        return !PRONOUN.test(rest) && !TIED.test(rest);
      })
    )
  );
}
