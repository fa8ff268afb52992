import { FEMALE, MALE } from "../data/details/find_sex.ts";
import type { ReadText } from "./read_text.ts";
import { sexOf } from "./sex_of.ts";
import type { Mention } from "./read_text.ts";
import type { CalendarDate } from "./read_dates.ts";
import type { Frequency } from "./read_frequencies.ts";
import type { Quantity } from "./read_quantities.ts";
import { doseOwners, drugOf, onlyOwner, readOwners, relativeOf } from "./owners.ts";
import type { Side } from "./read_sides.ts";
import { namesDiagnosis } from "./concepts.ts";
import { isPart } from "./read_sides.ts";
import {
  CIRCUMSTANCE_STEMS,
  FINDING_STEMS,
  FRAME_STEMS,
  FUNCTION_WORDS,
  isDiagnosis,
  isDrug,
} from "./word_lists.ts";

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

/** A word and those beside it. */
export type WordInPlace = { mention: Mention; before?: Mention; after?: Mention };

/** One detail that a text states. */
export type Claim =
  & { kind: ClaimKind; start: number; end: number }
  & (
    | { of: "quantity"; quantity: Quantity; owner: string | null }
    | { of: "frequency"; frequency: Frequency }
    | { of: "date"; date: CalendarDate }
    | { of: "side"; side: Side }
    | { of: "sex"; sex: "male" | "female"; noun: boolean }
    | { of: "word"; words: WordInPlace[]; owner: string | null }
    | { of: "denial"; mentions: Mention[] }
    | { of: "affirmation"; mentions: Mention[] }
  );

/**
 * Takes a text apart into the details that it states, each once. With `everyWord`, the words that
 * every note is made of are details, too.
 */
export function claimsOf(read: ReadText, { everyWord = false } = {}): Claim[] {
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
  const [relatives, drugs] = [relativeOf, drugOf].map((nameOf) => readOwners(read.tokens, nameOf));
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
    const those = quantity.kind === "dose"
      ? doseOwners(read.tokens, quantity, drugs)
      : relatives[quantity.from];
    const owner = onlyOwner(those);
    claims.push({ kind: quantity.kind, of: "quantity", quantity, owner, ...at(quantity) });
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
  return distinct([...claims, ...wordClaims(read, { taken, everyWord, relatives })]).toSorted((
    a,
    b,
  ) => a.start - b.start);
}

/** Whether a number states nothing: the label of a list's item, the ends of a scale, "one of them". */
function isLabel({ tokens }: ReadText, { from, to, values, quantity }: Quantity): boolean {
  const [before, after, next] = [tokens[from - 1], tokens[to], tokens[to + 1]];
  const { word, kind, sentence } = tokens[from];
  if (word === "a" || word === "an") {
    return !SPANS.test(before?.word ?? "") && !/^(?:ago|old|of)$/.test(after?.word ?? "");
  }
  if (quantity === null) {
    if (values[0] === 0 || values[0] === 1 && kind === "word") return true;
    if (/^(?:first|second|couple|half|dozen)$/.test(word) || after?.word === "scale") return true;
    if (after?.word === "to" && tokens[to + 2]?.word === "scale") return true;
  }
  const begins = before === undefined || before.sentence !== sentence ||
    /^[.;:,]$/.test(before.text);
  return begins && kind === "number" && /^[.)]$/.test(after?.text ?? "") &&
    next?.kind === "word" && /^\p{Lu}/u.test(next.text);
}

/** Before "a week", where it is a span of time. */
const SPANS = /^(?:for|about|approximately|within|over|almost|past|last|roughly|in)$/;

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

function wordClaims(
  read: ReadText,
  { taken, everyWord, relatives }: {
    taken: Set<number>;
    everyWord: boolean;
    relatives: Set<string>[];
  },
): Claim[] {
  const { mentions, tokens } = read;
  const isEmpty = ({ token, word, stem }: Mention) =>
    FUNCTION_WORDS.has(word) || !everyWord && FRAME_STEMS.has(stem) || word.length < 2 ||
    taken.has(token);
  const claims: Claim[] = [];
  for (let i = 0; i < mentions.length; i++) {
    if (isEmpty(mentions[i])) continue;
    const whole = mentions.slice(i, i + mentions[i].length);
    const length = isEmpty(whole.at(-1)!) ? 1 : whole.length;
    const words = whole.slice(0, length).map((mention, k): WordInPlace => ({
      mention,
      before: mentions[i + k - 1],
      after: mentions[i + k + 1],
    }));
    const stated = words.filter(({ mention }) => !isEmpty(mention));
    const start = tokens[mentions[i].token].start;
    const end = tokens[mentions[i + length - 1].token].end;
    const name = whole.slice(0, length);
    const owner = name.some(isFinding) ? onlyOwner(relatives[name[0].token]) : null;
    claims.push({ kind: kindOf(name), of: "word", words: stated, owner, start, end });
    i += length - 1;
  }
  return [...claims, ...polarityClaims(read, mentions.filter((mention) => !isEmpty(mention)))];
}

/** Whether a word names what somebody has or takes, and no part, place or time. */
export function isFinding({ word, stem, concepts }: Mention): boolean {
  const isNamed = concepts.length > 0 && !CIRCUMSTANCE_STEMS.has(stem) && !isPart(word);
  return isNamed || FINDING_STEMS.has(stem) || isDiagnosis(word) || isDrug(word);
}

function kindOf(mentions: Mention[]): ClaimKind {
  if (mentions.some(({ word }) => isDrug(word))) return "drug";
  const shared = mentions.map(({ concepts }) => concepts)
    .reduce((common, concepts) => common.filter((concept) => concepts.includes(concept)));
  const named = mentions.length > 1 && shared.some(namesDiagnosis);
  return named || mentions.some(({ word }) => isDiagnosis(word)) ? "diagnosis" : "word";
}

/** Phrases with what is said of them: that it is so, or that it is not. */
function polarityClaims({ tokens }: ReadText, mentions: Mention[]): Claim[] {
  const phrases: Mention[][] = [];
  for (const mention of mentions) {
    const phrase = phrases.at(-1);
    const last = phrase?.at(-1);
    const goesOn = last && last.token + 1 === mention.token && last.polarity === mention.polarity;
    if (goesOn) phrase!.push(mention);
    else phrases.push([mention]);
  }
  // That something is so is told by its words; only of what medicine has a name for is it held
  // against a source that denies it.
  const isHeading = (phrase: Mention[]) => tokens[phrase.at(-1)!.token + 1]?.text === ":";
  return phrases.filter((phrase) =>
    phrase[0].polarity === "negated" ||
    phrase[0].polarity === "affirmed" && phrase.some(isFinding) && !isHeading(phrase)
  ).map((phrase) => ({
    kind: "negation",
    of: phrase[0].polarity === "negated" ? "denial" : "affirmation",
    mentions: phrase,
    start: tokens[phrase[0].token].start,
    end: tokens[phrase.at(-1)!.token].end,
  }));
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
      return `${claim.kind} ${claim.owner} ${claim.quantity.quantity} ${claim.quantity.amounts[0]}`;
    case "frequency":
      return claim.frequency.key;
    case "date":
      return `date ${claim.date.month} ${claim.date.day} ${claim.date.year}`;
    case "side":
      return `side ${claim.side.side} ${claim.side.part}`;
    case "sex":
      return "sex";
    case "word":
      return `word ${claim.owner} ${claim.words.map(({ mention }) => mention.stem).join(" ")}`;
    default:
      return `${claim.of} ${claim.mentions.map(({ stem }) => stem).join(" ")}`;
  }
}
