import { BROADER_KEY } from "./concepts.ts";
import type { Polarity } from "./deny_sentence.ts";
import type { CalendarDate } from "./read_dates.ts";
import type { Quantity } from "./read_quantities.ts";
import type { ReadText } from "./read_text.ts";
import { doseOwners, drugOf, namesIn, readSourceOwners, relativeOf } from "./owners.ts";
import type { Side } from "./read_sides.ts";
import { sexOf } from "./sex_of.ts";

/** What a source says, to look up. */
export type SourceIndex = {
  /** Stems and concepts, each with the sentences in which it is denied, affirmed, neither. */
  words: Map<string, Record<Polarity, Set<number>>>;
  /** Words of which two stand for one, spelt letters, initials. */
  joined: Set<string>;
  initials: Set<string>;
  /** By amount and by plain value. */
  byAmount: Map<string, Quantity[]>;
  byValue: Map<number, Quantity[]>;
  /** Dates by what may be said of them: without the day, the year alone. */
  dates: Set<string>;
  frequencies: Set<string>;
  sides: Side[];
  sex: { male: boolean; female: boolean };
  /** Of which relatives each place of a stem, a concept, a quantity is said; doses: of which drugs. */
  saidOf: Map<string | Quantity, Set<string>[]>;
  /** Relatives and drugs that it names at all. */
  owners: Set<string>;
};

/** Rounds away what comes of adding fractions. */
export const amountKey = (quantity: string, amount: number) =>
  `${quantity} ${Number(amount.toPrecision(9))}`;

/** A date in the form that two are compared in. */
export const dateKey = ({ month, day, year }: Pick<CalendarDate, "month" | "day" | "year">) =>
  `${month} ${day} ${year}`;

function partsOfDate(date: CalendarDate): string[] {
  const months = [date.month, null], days = [date.day, null], years = [date.year, null];
  return months.flatMap((month) =>
    days.flatMap((day) => years.map((year) => dateKey({ month, day, year })))
  );
}

/** Most sentences that are kept of a word: a bound, so that no source takes long to search. */
const MOST_PLACES = 200;

/** Puts what a source says where it is found quickly. */
export function indexSource(read: ReadText): SourceIndex {
  const words: SourceIndex["words"] = new Map();
  const saidOf: SourceIndex["saidOf"] = new Map();
  const [relatives, drugs] = [relativeOf, drugOf].map((nameOf) =>
    readSourceOwners(read.tokens, nameOf)
  );
  for (const { token, stem, concepts, polarity } of read.mentions) {
    for (const concept of [stem, ...concepts]) {
      const key = concept.startsWith(BROADER_KEY) ? concept.slice(BROADER_KEY.length) : concept;
      let places = words.get(key);
      if (places === undefined) {
        places = { affirmed: new Set(), negated: new Set(), unclear: new Set() };
        words.set(key, places);
      }
      if (places[polarity].size < MOST_PLACES) places[polarity].add(read.tokens[token].sentence);
      const those = saidOf.get(key);
      if (those === undefined) saidOf.set(key, [relatives[token]]);
      else if (those.length < MOST_PLACES) those.push(relatives[token]);
    }
  }
  const byAmount = new Map<string, Quantity[]>();
  const byValue = new Map<number, Quantity[]>();
  const push = <K>(map: Map<K, Quantity[]>, key: K, quantity: Quantity) => {
    const there = map.get(key);
    if (there) there.push(quantity);
    else map.set(key, [quantity]);
  };
  for (const quantity of read.quantities) {
    saidOf.set(quantity, [
      quantity.kind === "dose"
        ? doseOwners(read.tokens, quantity, drugs)
        : relatives[quantity.from],
    ]);
    for (const value of quantity.values) push(byValue, value, quantity);
    if (quantity.quantity === null) continue;
    for (const amount of quantity.amounts) {
      push(byAmount, amountKey(quantity.quantity, amount), quantity);
    }
  }
  return {
    words,
    ...compounds(read),
    byAmount,
    byValue,
    dates: new Set(read.dates.flatMap(partsOfDate)),
    frequencies: new Set(read.frequencies.map(({ key }) => key)),
    sides: read.sides,
    sex: sexOf(read.text),
    saidOf,
    owners: namesIn(read.tokens, relativeOf).union(namesIn(read.tokens, drugOf)),
  };
}

/** Neighbours as one word ("head ache"), letters as one ("C O P D"), first letters of words. */
function compounds(
  { tokens, quantities }: ReadText,
): { joined: Set<string>; initials: Set<string> } {
  const joined = new Set<string>();
  const initials = new Set<string>();
  const words = tokens.filter(({ kind }) => kind === "word");
  let letters = "";
  for (let i = 0; i < words.length; i++) {
    const { word } = words[i];
    letters = word.length === 1 ? letters.slice(-7) + word : "";
    for (let k = 2; k <= letters.length; k++) joined.add(letters.slice(-k));
    if (
      word.length <= 5 && word === words[i].text.toLowerCase() &&
      words[i].text === words[i].text.toUpperCase()
    ) {
      joined.add(word);
    }
    if (i + 1 < words.length) joined.add(word + words[i + 1].word);
    let first = "";
    for (let k = i; k < i + 5 && k < words.length; k++) {
      first += words[k].word[0];
      if (first.length >= 3) initials.add(first);
    }
  }
  // "L five" is "L5".
  for (const { from, values } of quantities) {
    const before = tokens[from - 1];
    if (before?.kind === "word" && before.word.length === 1) {
      for (const value of values) joined.add(`${before.word}${value}`);
    }
  }
  return { joined, initials };
}
