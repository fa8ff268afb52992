import type { Detail } from "./change.ts";
import { findConditions } from "./find_conditions.ts";
import { findCourses } from "./find_courses.ts";
import { findDates } from "./find_dates.ts";
import { findDrugs } from "./find_drugs.ts";
import { findFrequencies } from "./find_frequencies.ts";
import { findNegations } from "./find_negations.ts";
import { findNumbers } from "./find_numbers.ts";
import { findReadings } from "./find_readings.ts";
import { findRelatives } from "./find_relatives.ts";
import { findSeverities } from "./find_severities.ts";
import { findSex } from "./find_sex.ts";
import { findSides } from "./find_sides.ts";
import { findSites } from "./find_sites.ts";
import { findUnits } from "./find_units.ts";
import { readSource } from "./source_facts.ts";

const FINDERS = [
  findNumbers,
  findDates,
  findFrequencies,
  findReadings,
  findUnits,
  findSides,
  findSites,
  findConditions,
  findSeverities,
  findCourses,
  findNegations,
  findSex,
  findRelatives,
  findDrugs,
];

/** Finds a text's clinical details that can be made wrong; `source` is what it was written from. */
export function findDetails(text: string, source: string): Detail[] {
  const search = { text, source: readSource(source) };
  return FINDERS.flatMap((find) => find(search)).filter(({ changes }) => changes.length > 0);
}
