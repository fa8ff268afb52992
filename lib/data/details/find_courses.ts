import { nameFinder } from "./name_finder.ts";

const GROUPS = [
  "worsening, improving",
  "worsened, improved",
  "worsens, improves",
  "worse, better",
  "increased, decreased",
  "increasing, decreasing",
  "increases, decreases",
  "constant, intermittent",
  "constantly, intermittently",
  "sudden, gradual",
  "suddenly, gradually",
  "acute, chronic",
].map((line) => line.split(", "));

/** Finds how something goes on: better or worse, more or less, suddenly or slowly. */
export const findCourses = nameFinder({
  kind: "course",
  groups: GROUPS,
  before: /(?<!\b(?:or|and|got|much the|more) |-)$/i,
  after:
    /^(?! (?:or|and|than|distress|coronary|myocardial|respiratory|renal|kidney|obstructive|lymph\w*|myel\w*|fatigue|leuk\w*|on|in \w+ life|mental|consciousness)\b|-)/i,
  isEachItsOwn: true,
});
