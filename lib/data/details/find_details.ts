import type { Detail } from "./change.ts";
import { findDrugs } from "./find_drugs.ts";
import { findFrequencies } from "./find_frequencies.ts";
import { findNegations } from "./find_negations.ts";
import { findNumbers } from "./find_numbers.ts";
import { findSex } from "./find_sex.ts";
import { findSides } from "./find_sides.ts";
import { findUnits } from "./find_units.ts";
import { readSource } from "./source_facts.ts";

const FINDERS = [
  findNumbers,
  findFrequencies,
  findUnits,
  findSides,
  findNegations,
  findSex,
  findDrugs,
];

/** Finds a text's clinical details that can be made wrong; `source` is what it was written from. */
export function findDetails(text: string, source: string): Detail[] {
  const search = { text, source: readSource(source) };
  return FINDERS.flatMap((find) => find(search)).filter(({ changes }) => changes.length > 0);
}
