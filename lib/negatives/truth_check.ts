import type { Edit } from "../data/details/change.ts";
import {
  measureAgainst,
  readSource,
  type UnsupportedDetail,
} from "../meter/measure_hallucination.ts";

/**
 * What the meter says of a changed detail: `wrong`, for the source does not bear it out; `baseless`,
 * for the source does not bear out what stood there before either; `unsure`, for it may still be true.
 */
export type Verdict = "wrong" | "baseless" | "unsure";

/** Details of an added sentence that must be unsupported: one alone may be a paraphrase. */
const ADDED = 2;

/** Makes the check of a text's changes against its source; both are read once. */
export function truthCheck(
  text: string,
  source: string,
): (changed: string, edits: readonly Edit[]) => Verdict {
  const index = readSource(source);
  const known = measureAgainst(text, index).unsupported, keys = new Set(known.map(keyOf));
  return (changed, edits) => {
    const places = edits.map((edit) => placeOf(text, edit));
    // What a text says twice is known by its first place alone.
    const changes = new Set(edits.map(({ start, end }) => text.slice(start, end).toLowerCase()));
    const isBaseless = known.some((detail) =>
      changes.has(detail.text.toLowerCase()) ||
      places.some((place) => detail.start < place.end && place.start < detail.end)
    );
    if (isBaseless) return "baseless";
    const { unsupported } = measureAgainst(changed, index);
    const found = unsupported.filter((detail) => !keys.has(keyOf(detail)));
    const isAdded = edits.every(({ start, end }) => start === end);
    return found.length >= (isAdded ? ADDED : 1) ? "wrong" : "unsure";
  };
}

/** Where an edit changes a text; of a denial that is taken out, the word behind it too. */
function placeOf(text: string, { start, end, text: now }: Edit): { start: number; end: number } {
  const behind = now === "" ? /^\W*\w*/.exec(text.slice(end))![0].length : 0;
  return { start, end: end + behind };
}

const keyOf = ({ kind, text }: UnsupportedDetail) => `${kind} ${text.toLowerCase()}`;
