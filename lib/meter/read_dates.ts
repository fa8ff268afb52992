import type { NumberRead } from "./read_numbers.ts";
import type { Token } from "./tokens.ts";

/** A date, or what is said of one; a year by its last two digits. */
export type CalendarDate = {
  from: number;
  to: number;
  month: number | null;
  day: number | null;
  year: number | null;
};

const MONTHS = new Map(
  ("january february march april may june july august september october november december")
    .split(" ").flatMap((
      name,
      i,
    ): [string, number][] => [[name, i + 1], [name.slice(0, 3), i + 1]]),
);
MONTHS.set("sept", 9);

/** Finds dates: "08/27/03", "April fifteenth two thousand five", "August of 2008", "2005". */
export function readDates(tokens: Token[], numbers: NumberRead[]): CalendarDate[] {
  const startingAt = new Map(numbers.map((number) => [number.from, number]));
  const endingAt = new Map(numbers.map((number) => [number.to, number]));
  const found: CalendarDate[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const date = slashedAt(tokens, i) ?? namedAt(tokens, i, { startingAt, endingAt }) ??
      yearAt(startingAt.get(i));
    if (date === null) continue;
    found.push(date);
    i = date.to - 1;
  }
  return found;
}

/** "08/27/03", "8-27-2003", "04/2005". */
function slashedAt(tokens: Token[], i: number): CalendarDate | null {
  const mark = tokens[i + 1]?.text;
  if (tokens[i].kind !== "number" || mark !== "/" && mark !== "-") return null;
  const joint = (k: number) =>
    tokens[k]?.text === mark && tokens[k].start === tokens[k - 1].end &&
    tokens[k + 1]?.kind === "number" && tokens[k + 1].start === tokens[k].end;
  if (!joint(i + 1)) return null;
  const parts = [tokens[i].text, tokens[i + 2].text];
  if (joint(i + 3)) parts.push(tokens[i + 4].text);
  if (!parts.every((part) => /^\d{1,4}$/.test(part))) return null;
  const numbers = parts.map(Number);
  if (parts.length === 2) {
    const [month, year] = numbers;
    const full = mark === "/" && isMonth(month) && isYear(year);
    return full ? { from: i, to: i + 3, month, day: null, year: year % 100 } : null;
  }
  const [month, day, year] = isYear(numbers[0]) ? [numbers[1], numbers[2], numbers[0]] : numbers;
  if (!isMonth(month) || !isDay(day) || year > 99 && !isYear(year)) return null;
  return { from: i, to: i + 5, month, day, year: year % 100 };
}

type ByToken = { startingAt: Map<number, NumberRead>; endingAt: Map<number, NumberRead> };

/** A month's name with a day or year on either side of it. */
function namedAt(
  tokens: Token[],
  i: number,
  { startingAt, endingAt }: ByToken,
): CalendarDate | null {
  const month = MONTHS.get(tokens[i].word);
  if (month === undefined || tokens[i].kind !== "word") return null;
  const skip = (k: number) => /^(?:,|of|the|\.)$/.test(tokens[k]?.word ?? "") ? k + 1 : k;
  let to = i + 1;
  let day: number | null = null, year: number | null = null;
  for (let part = 0; part < 2; part++) {
    const number = startingAt.get(skip(skip(to)));
    if (number === undefined) break;
    const parts = number.values;
    const full = parts.find(isYear);
    const first = parts.find((value) => isDay(value));
    if (day === null && year === null && first !== undefined && full === undefined) day = first;
    else if (full !== undefined) {
      year = full % 100;
      if (day === null && parts.length > 1 && isDay(parts[0])) day = parts[0];
    } else break;
    to = number.to;
  }
  const before = endingAt.get(tokens[i - 1]?.word === "of" ? i - 1 : i);
  let from = i;
  if (day === null && before !== undefined && isDay(before.values[0])) {
    day = before.values[0];
    from = before.from;
  }
  const name = tokens[i].text;
  // "may" and "march" are verbs, too.
  const plain = /^(?:may|mar|march|sec|jun|dec)$/.test(tokens[i].word);
  if (day === null && year === null && (plain || name === name.toLowerCase())) return null;
  return { from, to, month, day, year };
}

/** A year that stands alone. */
function yearAt(number: NumberRead | undefined): CalendarDate | null {
  const year = number?.values[0];
  if (year === undefined || !isYear(year) || number!.ordinal) return null;
  return { from: number!.from, to: number!.to, month: null, day: null, year: year % 100 };
}

const isMonth = (value: number) => Number.isInteger(value) && value >= 1 && value <= 12;
const isDay = (value: number) => Number.isInteger(value) && value >= 1 && value <= 31;
const isYear = (value: number) => Number.isInteger(value) && value >= 1900 && value < 2100;
