import { NUMBER_WORDS } from "../data/details/source_facts.ts";
import type { Token } from "./tokens.ts";

/** A number in digits or words. */
export type NumberRead = {
  /** Tokens `from` to `to`, `to` left out. */
  from: number;
  to: number;
  /** What it may mean, the likeliest first: "two fifty" is 250, or 2 and 50. */
  values: number[];
  ordinal: boolean;
};

const ORDINALS = new Map(
  ("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth " +
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth").split(" ")
    .map((word, i): [string, number] => [word, i + 1]),
);
ORDINALS.set("twentieth", 20).set("thirtieth", 30);
const DECADES = new Map(
  "twenties thirties forties fifties sixties seventies eighties nineties".split(" ")
    .map((word, i): [string, number] => [word, 20 + 10 * i]),
);
const OTHER = new Map([["couple", 2], ["dozen", 12], ["half", 0.5], ["thrice", 3]]);
const SCALES = new Map([["hundred", 100], ["thousand", 1000], ["million", 1e6]]);

/** The value of one token, if it is a number's word. */
const small = ({ word }: Token) =>
  NUMBER_WORDS.get(word) ?? ORDINALS.get(word) ?? DECADES.get(word) ?? OTHER.get(word);

/** Finds the numbers of a text. */
export function readNumbers(tokens: Token[]): NumberRead[] {
  const found: NumberRead[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const read = tokens[i].kind === "number" ? digitsAt(tokens, i) : wordsAt(tokens, i);
    if (read === null) continue;
    found.push(read);
    i = read.to - 1;
  }
  return found;
}

function digitsAt(tokens: Token[], i: number): NumberRead | null {
  const { text, end } = tokens[i];
  const grouped = /^\d{1,3}(?:,\d{3})+(?:\.\d+)?$/.test(text);
  const value = Number(grouped ? text.replaceAll(",", "") : text);
  const values = (Number.isNaN(value) ? text.split(/[.,]/).map(Number) : [value])
    .filter(Number.isFinite);
  if (values.length === 0) return null;
  const next = tokens[i + 1];
  const ordinal = next !== undefined && next.start === end && /^(?:st|nd|rd|th)$/.test(next.word);
  const to = i + (ordinal ? 2 : 1);
  const scale = SCALES.get(tokens[to]?.word);
  if (scale) return { from: i, to: to + 1, values: [value * scale], ordinal };
  const half = halfAt(tokens, to);
  return { from: i, to: half ?? to, values: half ? [value + 0.5] : values, ordinal };
}

/** Behind "and a half", where that is what follows. */
function halfAt(tokens: Token[], i: number): number | null {
  const words = tokens.slice(i, i + 3).map(({ word }) => word).join(" ");
  return words === "and a half" ? i + 3 : null;
}

function wordsAt(tokens: Token[], from: number): NumberRead | null {
  const hundred = tokens[from].word === "a" && SCALES.has(tokens[from + 1]?.word);
  if (small(tokens[from]) === undefined && !hundred) return null;
  const parts: number[] = [];
  let to = from;
  let open = false; // whether the last part can take a smaller number: "twenty", "two hundred"
  let ordinal = false;
  for (; to < tokens.length && to - from < 16; to++) {
    const { word } = tokens[to];
    const value = small(tokens[to]);
    const scale = SCALES.get(word);
    const last = parts.length - 1;
    if (to === from && hundred) parts.push(1);
    else if (scale !== undefined && last >= 0) {
      parts[last] = scaled(parts[last], scale);
      open = true;
    } else if (value !== undefined) {
      const fits: boolean = open && value > 0 && value < lowestUnit(parts[last]);
      if (fits) parts[last] += value;
      else parts.push(value);
      open = value >= 20 && value % 10 === 0;
      ordinal = ORDINALS.has(word);
      if (ordinal || DECADES.has(word)) {
        to++;
        break;
      }
    } else if ((word === "oh" || word === "o") && last >= 0 && nextIsNumber(tokens, to)) {
      parts.push(0);
      open = false;
    } else if (word === "and" && open && last >= 0 && parts[last] >= 100) {
      if (!nextIsNumber(tokens, to)) break;
    } else if (word === "-" && nextIsNumber(tokens, to) && open) {
      continue;
    } else if (word === "point" && last >= 0 && nextIsNumber(tokens, to)) {
      const { value, end } = decimals(tokens, to + 1);
      parts[last] += value;
      to = end;
      break;
    } else break;
  }
  const half = halfAt(tokens, to);
  if (half !== null) parts[parts.length - 1] += 0.5;
  return { from, to: half ?? to, values: [...new Set([...joined(parts), ...parts])], ordinal };
}

/** "two hundred", and "two thousand three" times "hundred" takes only the three. */
function scaled(value: number, scale: number): number {
  const rest = value % 1000;
  return scale === 100 && value >= 1000 && rest > 0 ? value - rest + rest * 100 : value * scale;
}

/** 100 for 300, 10 for 20: what may be added to it is smaller. */
function lowestUnit(value: number): number {
  if (value === 0) return 0;
  let unit = 1;
  while (value % (unit * 10) === 0) unit *= 10;
  return unit;
}

const nextIsNumber = (tokens: Token[], i: number) =>
  i + 1 < tokens.length && small(tokens[i + 1]) !== undefined;

function decimals(tokens: Token[], from: number): { value: number; end: number } {
  let digits = "";
  let end = from;
  while (end < tokens.length && end - from < 4) {
    const value = small(tokens[end]);
    if (value === undefined || value > 99) break;
    digits += value;
    end++;
  }
  return { value: Number(`0.${digits}`), end };
}

/** Numbers said in a row as one: years, doses, digits one by one. */
function joined(parts: number[]): number[] {
  const digits = parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 9);
  if (parts.length >= 3 && digits) return [Number(parts.join(""))];
  if (parts.length === 3 && parts[1] === 0 && parts[0] < 100 && parts[2] < 10) {
    return [parts[0] * 100 + parts[2]];
  }
  const [high, low] = parts;
  const pair = parts.length === 2 && high > 0 && high < 100 && low >= 10 && low < 100;
  return pair ? [high * 100 + low] : [];
}
