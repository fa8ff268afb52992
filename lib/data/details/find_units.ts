import { type Detail, replaceAt, type Search } from "./change.ts";

/** Units of one quantity: taking one for another is wrong. Longer names first. */
const UNITS = [
  ["mcg", "mg", "g"],
  ["micrograms", "milligrams", "grams"],
  ["mL", "L"],
  ["milliliters", "liters"],
  ["mg/dL", "mmol/L"],
  ["pounds", "kilograms"],
  ["lbs", "kg"],
  ["inches", "centimeters"],
  ["cm", "mm"],
  ["centimeters", "millimeters"],
  ["miles", "kilometers"],
];
const NAMES = [...new Set(UNITS.flat())].toSorted((a, b) => b.length - a.length);
const FOUND = new RegExp(
  `(?<=\\d ?-?)(?<!(?:feet|foot|ft) \\d+ )(?:${NAMES.join("|")})(?![\\w/])`,
  "g",
);

/** Finds units behind numbers, each with other units of the same quantity. */
export function findUnits({ text, source }: Search): Detail[] {
  return [...text.matchAll(FOUND)].map(({ 0: before, index }) => {
    const others = UNITS.filter((group) => group.includes(before)).flat()
      .filter((unit) => unit !== before && !states(source.text, unit));
    const amount = /[\d.,]+ ?-?$/.exec(text.slice(Math.max(0, index - 20), index))![0];
    const changes = others.map((unit) => {
      const { edits } = replaceAt(index, before, unit);
      return { before: amount + before, after: amount + unit, edits };
    });
    return { kind: "unit" as const, supported: states(source.text, before), changes };
  });
}

const states = (source: string, unit: string) =>
  new RegExp(`(?<![a-z])${unit.toLowerCase()}(?![a-z/])`).test(source);
