import type { SourceFacts } from "./change.ts";

const ONES = (
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen " +
  "sixteen seventeen eighteen nineteen"
).split(" ");
const TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
/** The words of whole numbers up to nineteen, and of tens. */
export const NUMBER_WORDS: ReadonlyMap<string, number> = new Map([
  ...ONES.map((word, value): [string, number] => [word, value]),
  ...TENS.map((word, i): [string, number] => [word, 20 + 10 * i]),
]);
const WORDS = `(?:${TENS.join("|")})(?:[- ](?:${ONES.slice(1, 10).join("|")}))?|${ONES.join("|")}`;

/** A number in digits or, up to ninety-nine, in words. */
export const NUMBER = `\\d+(?:\\.\\d+)?|(?:${WORDS})(?![\\w-])`;
/** A unit of time in the singular. */
export const TIME = "minute|hour|day|week|month|year";

const NUMBERS = new RegExp(`(?<![\\w.])(?:${NUMBER})`, "g");
const DURATIONS = new RegExp(
  `(?<![\\w.])(${NUMBER}|an?|couple(?: of)?|(?:a )?few|several)[- ](${TIME})s?\\b`,
  "g",
);

/** The value of a number in digits or words; NaN for anything else. */
export function numberOf(text: string): number {
  const words = text.toLowerCase().split(/[- ]/);
  if (words.every((word) => NUMBER_WORDS.has(word))) {
    return words.reduce((sum, word) => sum + NUMBER_WORDS.get(word)!, 0);
  }
  return Number(text);
}

/** The word for a whole number below twenty. */
export const wordOf = (value: number): string => ONES[value];

/** A duration in the form in which two are compared: `3 week` for "three weeks". */
export function durationKey(amount: string, unit: string): string {
  const value = /^an?$/i.test(amount) ? 1 : numberOf(amount);
  return `${
    Number.isNaN(value) ? amount.toLowerCase().replace(/^a | of$/g, "") : value
  } ${unit.toLowerCase()}`;
}

/** Reads what a source states. */
export function readSource(source: string): SourceFacts {
  const text = source.toLowerCase();
  const numbers = new Set([...text.matchAll(NUMBERS)].map(([number]) => numberOf(number)));
  const durations = new Set(
    [...text.matchAll(DURATIONS)].map(([, n, unit]) => durationKey(n, unit)),
  );
  return { text, numbers, durations };
}
