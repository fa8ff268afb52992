import { FEMALE, MALE } from "../data/details/find_sex.ts";
import type { ReadText } from "./read_text.ts";
import { sexOf } from "./sex_of.ts";
import type { Mention } from "./read_text.ts";
import type { CalendarDate } from "./read_dates.ts";
import type { Frequency } from "./read_frequencies.ts";
import type { Quantity } from "./read_quantities.ts";
import type { Side } from "./read_sides.ts";
import { FRAME_STEMS, FUNCTION_WORDS, isDiagnosis, isDrug } from "./word_lists.ts";

/** Kinds of detail that are looked for in a text. */
export const CLAIM_KINDS = [
  "number",
  "dose",
  "date",
  "duration",
  "age",
  "sex",
  "side",
  "drug",
  "diagnosis",
  "negation",
  "word",
] as const;
/** What kind of detail a text states. */
export type ClaimKind = typeof CLAIM_KINDS[number];

/** One detail that a text states. */
export type Claim =
  & { kind: ClaimKind; start: number; end: number }
  & (
    | { of: "quantity"; quantity: Quantity }
    | { of: "frequency"; frequency: Frequency }
    | { of: "date"; date: CalendarDate }
    | { of: "side"; side: Side }
    | { of: "sex"; sex: "male" | "female"; noun: boolean }
    | { of: "word"; mention: Mention; neighbours: [Mention | undefined, Mention | undefined] }
    | { of: "denial"; mentions: Mention[] }
    | { of: "affirmation"; mentions: Mention[] }
  );

/** Takes a text apart into the details that it states, each once. */
export function claimsOf(read: ReadText): Claim[] {
  const taken = new Set<number>();
  const take = ({ from, to }: { from: number; to: number }) => {
    for (let i = from; i < to; i++) taken.add(i);
  };
  const free = ({ from, to }: { from: number; to: number }) => {
    for (let i = from; i < to; i++) if (taken.has(i)) return false;
    return true;
  };
  const at = ({ from, to }: { from: number; to: number }) => ({
    start: read.tokens[from].start,
    end: read.tokens[to - 1].end,
  });
  const claims: Claim[] = [];
  const measured = new Set(
    read.quantities.filter(({ quantity }) => quantity !== null).map(({ from }) => from),
  );
  for (const date of read.dates) {
    if (date.month === null && measured.has(date.from)) continue;
    claims.push({ kind: "date", of: "date", date, ...at(date) });
    take(date);
  }
  for (const frequency of read.frequencies) {
    if (!free(frequency)) continue;
    claims.push({ kind: "dose", of: "frequency", frequency, ...at(frequency) });
    take(frequency);
  }
  for (const quantity of read.quantities) {
    if (!free(quantity) || isLabel(read, quantity)) continue;
    claims.push({ kind: quantity.kind, of: "quantity", quantity, ...at(quantity) });
    take(quantity);
  }
  for (const side of read.sides) {
    const span = { from: side.token, to: side.token + 1 };
    if (!free(span)) continue;
    claims.push({ kind: "side", of: "side", side, ...at(span) });
    take(span);
  }
  const sex = sexClaim(read);
  if (sex) claims.push(sex);
  return distinct([...claims, ...wordClaims(read, taken)]).toSorted((a, b) => a.start - b.start);
}

/** "1." before an item of a list; a number of one that is said without stating any. */
function isLabel({ tokens }: ReadText, { from, to, values, quantity }: Quantity): boolean {
  const [before, after, next] = [tokens[from - 1], tokens[to], tokens[to + 1]];
  if (quantity === null && values[0] === 1 && tokens[from].kind === "word") return true;
  if (quantity === null && tokens[from].word === "second" || tokens[from].word === "first") {
    return true;
  }
  const begins = before === undefined || before.sentence !== tokens[from].sentence ||
    /^[.;:,]$/.test(before.text);
  return begins && tokens[from].kind === "number" && /^[.)]$/.test(after?.text ?? "") &&
    next !== undefined && next.kind === "word" && /^\p{Lu}/u.test(next.text);
}

const NOUN = /\b(?:male|man|gentleman|boy|female|woman|lady|girl)\b/i;

/** The patient's sex, where the text speaks of one sex only. */
function sexClaim({ text }: ReadText): Claim | null {
  const { male, female } = sexOf(text);
  if (male === female) return null;
  const noun = NOUN.exec(text);
  const found = noun ?? (male ? MALE : FEMALE).exec(text)!;
  const end = found.index + found[0].length;
  return {
    kind: "sex",
    of: "sex",
    sex: male ? "male" : "female",
    noun: noun !== null,
    start: found.index,
    end,
  };
}

function wordClaims(read: ReadText, taken: Set<number>): Claim[] {
  const claims: Claim[] = [];
  let phrase: Mention[] = [];
  const endPhrase = () => {
    if (phrase.length > 0) {
      const [first, last] = [phrase[0], phrase.at(-1)!].map(({ token }) => read.tokens[token]);
      const of = first && phrase[0].polarity === "negated"
        ? "denial" as const
        : "affirmation" as const;
      claims.push({ kind: "negation", of, mentions: phrase, start: first.start, end: last.end });
    }
    phrase = [];
  };
  read.mentions.forEach((mention, i) => {
    const { token, word, stem, polarity } = mention;
    const { start, end } = read.tokens[token];
    const empty = FUNCTION_WORDS.has(word) || FRAME_STEMS.has(stem) || word.length < 2 ||
      taken.has(token);
    const last = phrase.at(-1);
    if (empty || last && (token !== last.token + 1 || last.polarity !== polarity)) endPhrase();
    if (empty) return;
    const kind = isDrug(word) ? "drug" : isDiagnosis(word) ? "diagnosis" : "word";
    const neighbours: [Mention?, Mention?] = [read.mentions[i - 1], read.mentions[i + 1]];
    claims.push({
      kind,
      of: "word",
      mention,
      neighbours: [neighbours[0], neighbours[1]],
      start,
      end,
    });
    if (polarity !== "unclear") phrase.push(mention);
  });
  endPhrase();
  return claims;
}

/** A detail that is said again is not a second one. */
function distinct(claims: Claim[]): Claim[] {
  const seen = new Set<string>();
  return claims.filter((claim) => {
    const key = keyOf(claim);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function keyOf(claim: Claim): string {
  switch (claim.of) {
    case "quantity":
      return `${claim.kind} ${claim.quantity.quantity} ${claim.quantity.amounts[0]}`;
    case "frequency":
      return claim.frequency.key;
    case "date":
      return `date ${claim.date.month} ${claim.date.day} ${claim.date.year}`;
    case "side":
      return `side ${claim.side.side} ${claim.side.part}`;
    case "sex":
      return "sex";
    case "word":
      return `word ${claim.mention.stem}`;
    default:
      return `${claim.of} ${claim.mentions.map(({ stem }) => stem).join(" ")}`;
  }
}
