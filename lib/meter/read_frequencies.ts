import type { NumberRead } from "./read_numbers.ts";
import type { Token } from "./tokens.ts";

/** How often: "2/day". */
export type Frequency = { from: number; to: number; key: string };

const LATIN = new Map([["bid", 2], ["tid", 3], ["qid", 4], ["qd", 1], ["qday", 1], ["qhs", 1]]);
const TIMES = new Map([["once", 1], ["twice", 2], ["thrice", 3]]);
const EACH = new Set("a an per each every in".split(" "));
const PERIODS = new Map([
  ["day", "day"],
  ["daily", "day"],
  ["week", "week"],
  ["weekly", "week"],
  ["month", "month"],
  ["monthly", "month"],
  ["year", "year"],
  ["yearly", "year"],
  ["night", "day"],
  ["nightly", "day"],
]);

/** Finds how often something is done: "twice a day", "b.i.d.", "every eight hours". */
export function readFrequencies(tokens: Token[], read: NumberRead[]): Frequency[] {
  const found: Frequency[] = [];
  const numbers = new Map(read.map((number) => [number.from, number]));
  for (let i = 0; i < tokens.length; i++) {
    const frequency = latinAt(tokens, i) ?? timesAt(tokens, i) ?? everyAt(tokens, i);
    if (frequency === null) continue;
    found.push(frequency);
    i = frequency.to - 1;
  }
  return found;

  function timesAt(tokens: Token[], from: number): Frequency | null {
    const number = numbers.get(from);
    let to = from + 1;
    let count = TIMES.get(tokens[from].word);
    if (count === undefined) {
      if (number === undefined || !/^(?:times?|x)$/.test(tokens[number.to]?.word ?? "")) {
        return null;
      }
      count = number.values[0];
      to = number.to + 1;
    }
    if (EACH.has(tokens[to]?.word)) to++;
    const period = PERIODS.get(tokens[to]?.word);
    return period === undefined ? null : { from, to: to + 1, key: `${count}/${period}` };
  }

  function everyAt(tokens: Token[], from: number): Frequency | null {
    if (tokens[from].word !== "every" && tokens[from].word !== "q") return null;
    const number = numbers.get(from + 1);
    if (number === undefined || !/^(?:hours?|hrs?|h)$/.test(tokens[number.to]?.word ?? "")) {
      return null;
    }
    const count = 24 / number.values[0];
    return Number.isInteger(count) ? { from, to: number.to + 1, key: `${count}/day` } : null;
  }
}

function latinAt(tokens: Token[], from: number): Frequency | null {
  const count = LATIN.get(tokens[from].word);
  return count === undefined ? null : { from, to: from + 1, key: `${count}/day` };
}
