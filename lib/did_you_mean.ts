import { closest, distance } from "fastest-levenshtein";

/** The name nearest to what was typed, one that begins so first; undefined where none is near. */
export function nearestName(typed: string, names: readonly string[]): string | undefined {
  const longer = typed.length > 1 && names.find((name) => name.startsWith(typed));
  if (longer) return longer;
  const nearest = closest(typed, names);
  return distance(typed, nearest) <= Math.max(2, nearest.length / 2) ? nearest : undefined;
}

/** `; did you mean "name"?` for the end of a message, or nothing where no name is near. */
export function didYouMean(typed: string, names: readonly string[]): string {
  const nearest = nearestName(typed, names);
  return nearest === undefined ? "" : `; did you mean "${nearest}"?`;
}
