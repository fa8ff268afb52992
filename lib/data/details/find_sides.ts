import { type Detail, likeCase, type Search } from "./change.ts";

/** What has a left and a right, as a regular expression. */
export const PARTS =
  "abdomen|abdominal|acetabul\\w+|adrenal|ankle|antecubital|arm|armpit|atri\\w+|auricle|axilla\\w*|" +
  "back|big toe|bicep\\w*|breast|bronch\\w+|bundle|buttocks?|calf|carotid|cerebr\\w+|cheek|chest|" +
  "clavicle|coronary|ear|elbow|extremit\\w+|eye|eyebrow|eyelid|face|facial|femoral|femur|fibula|" +
  "finger|flank|foot|forearm|forehead|frontal|frontotemporal|groin|hand|heel|hemi\\w+|hip|humerus|" +
  "iliac|index|inguinal|jaw|kidney|knee|labi\\w+|leg|lung|mandib\\w+|maxill\\w+|nares?|neck|" +
  "nephr\\w+|nipple|nostril|occipital|orbit\\w*|ovar\\w+|parietal|patella\\w*|pelvi\\w+|pinky|" +
  "quadrant|radius|rib|rotator|sacroiliac|scapula\\w*|scrot\\w+|shin|shoulder|side|sided|sinus|" +
  "subclavian|temple|temporal|testic\\w+|thigh|thorac\\w+|thumb|thyroid|tibia\\w*|toe|tonsil\\w*|" +
  "ulna\\w*|ureter\\w*|ventric\\w+|wrist";
/** What may stand between a side and its part. */
export const BETWEEN =
  "lower|upper|outer|inner|lateral|medial|anterior|posterior|distal|proximal|middle|" +
  "small|great|ring|fourth|fifth|third|second|first|mid";
const FOUND = new RegExp(
  `\\b(left|right)(?=[- ](?:(?:${BETWEEN})[- ]){0,2}(${PARTS})(?:s|es)?\\b)`,
  "gi",
);

/** Finds "left" and "right" of the body; every mention of the same part changes with it. */
export function findSides({ text, source }: Search): Detail[] {
  const mentions = [...text.matchAll(FOUND)].map((match) => ({
    side: match[0],
    part: match[2].toLowerCase(),
    start: match.index,
  }));
  const sides = new Set(mentions.map(({ side }) => side.toLowerCase()));
  // Where both sides are spoken of, the other one may be true too.
  if (sides.size !== 1) return [];
  const [side] = sides;
  const other = side === "left" ? "right" : "left";
  const stated = new Set([...source.text.matchAll(FOUND)].map((match) => match[0]));
  if (stated.has(other)) return [];
  return [...Map.groupBy(mentions, ({ part }) => part)].map(([part, same]) => ({
    kind: "side" as const,
    supported: stated.has(side),
    changes: [{
      before: `${side} ${part}`,
      after: `${other} ${part}`,
      edits: same.map(({ side: word, start }) => ({
        start,
        end: start + word.length,
        text: likeCase(other, word),
      })),
    }],
  }));
}
