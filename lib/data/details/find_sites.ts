import type { Detail, Search } from "./change.ts";
import { nameFinder } from "./name_finder.ts";
import { NUMBER } from "./source_facts.ts";

const GROUPS = [
  "chest pain, abdominal pain, back pain, neck pain, pelvic pain",
  "knee, hip, ankle, shoulder, elbow, wrist",
  "knees, hips, ankles, shoulders, elbows, wrists",
  "arm, leg",
  "arms, legs",
  "forearm, thigh, calf",
  "hand, foot",
  "hands, feet",
  "finger, toe",
  "fingers, toes",
  "eye, ear",
  "eyes, ears",
  "upper extremity, lower extremity",
  "upper extremities, lower extremities",
].map((line) => line.split(", "));

/** What is said of eyes or of ears alone. */
const SENSE =
  /\b(?:catar|vis[iu]|ocul|ophth|retin|glauc|lens|blind|glasses|pupil|hear|tinnit|tympan|otit|audi)/i;

const find = nameFinder({
  kind: "site",
  groups: GROUPS,
  // "5 feet", "the other hand", "great toe", "EARS:"
  before: new RegExp(
    `(?<!\\b(?:${NUMBER}|other|by|on|great|big|middle|ring|index|little)[ -])$`,
    "i",
  ),
  after:
    /^(?!:| (?:jerk|reflex|contact|drop|blade|room|drum|lid|brace|chart|doctor|exam|glasses|canal|wax|tall|hygiene|dominan))/i,
});

/** Finds parts of the body, each with others that the same may be said of. */
export function findSites(search: Search): Detail[] {
  const isSense = SENSE.test(search.text);
  return find(search).filter(({ changes }) =>
    !isSense || !changes.some(({ before }) => /^(?:eye|ear)s?$/i.test(before))
  );
}
