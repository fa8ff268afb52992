import { type Detail, likeCase, replaceAt, type Search } from "./change.ts";

const MONTHS =
  ("January February March April May June July August September October November December")
    .split(" ");
const DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(" ");
/** "May" and "March" are months only where a day or year follows or "in" stands before. */
const MONTH = new RegExp(
  `\\b(?:(?:${MONTHS.join("|")})(?= \\d)|(?<=\\b(?:in|since|last|of|until|by) )(?:${
    MONTHS.join("|")
  })\\b)`,
  "g",
);
const WEEKDAY = new RegExp(`\\b(?:${DAYS.join("|")})\\b`, "g");
const DAY = new RegExp(`(?<=\\b(?:${MONTHS.join("|")}) )\\d{1,2}(?=(?:st|nd|rd|th)?\\b(?!:))`, "g");

/** Finds months, days of the month and of the week; years are found with the numbers. */
export function findDates({ text, source }: Search): Detail[] {
  const named = (found: RegExp, names: string[]) =>
    [...text.matchAll(found)].map(({ 0: before, index }): Detail => {
      const others = names.filter((name) =>
        name !== before && !source.text.includes(name.toLowerCase())
      );
      return {
        kind: "date",
        supported: source.text.includes(before.toLowerCase()),
        changes: others.map((name) => replaceAt(index, before, likeCase(name, before))),
      };
    });
  const days = [...text.matchAll(DAY)].map(({ 0: before, index }): Detail => {
    const value = Number(before), rest = text.slice(index + before.length);
    // "8th" and "18th", but not "1st" and "11st"
    const steps = /^(?:st|nd|rd|th)/.test(rest) ? [10, 20] : [2, 3, 5, 10];
    const others = steps.flatMap((step) => [value - step, value + step]).filter((n) =>
      n >= 1 && n <= 28 && !source.numbers.has(n) && (steps.length > 2 || n > 13 && value > 13)
    );
    return {
      kind: "date",
      supported: source.numbers.has(value),
      changes: others.map((n) => replaceAt(index, before, String(n))),
    };
  });
  return [...named(MONTH, MONTHS), ...named(WEEKDAY, DAYS), ...days];
}
