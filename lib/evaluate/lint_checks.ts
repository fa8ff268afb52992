import { changedDetail } from "../data/changed_detail.ts";
import { DETAIL_KINDS } from "../data/details/change.ts";
import { similarity } from "../data/similarity.ts";
import { formatCount } from "../format_count.ts";
import { measureAgainst, readSource } from "../meter/measure_hallucination.ts";
import type { RowPlace } from "../row_place.ts";
import { encodingTrouble, normalForm } from "./encoding_trouble.ts";
import { percent } from "./figures.ts";

/** A row that a check found. */
export type LintedRow = {
  set: "train" | "validation";
  /** Place in its set, counted from 0. */
  index: number;
  /** Where it was read; `null` for a row that was made in a program. */
  place: RowPlace | null;
  /** What was found in it. */
  note: string;
};

/** A triplet's texts, and what is known of it. */
export type LintInput = Omit<LintedRow, "note"> & {
  prompt: string;
  chosen: string;
  rejected: string;
  /** Tells two rows apart, roles of messages included. */
  keys: { prompt: string; chosen: string; rejected: string };
  /** Tokens as training counts them, absent without a tokenizer. */
  tokens?: {
    prompt: number;
    chosen: number;
    rejected: number;
    /** Tokens that both answers begin with. */
    shared: number;
  };
};

/** Pairs below which an average length proves nothing. */
const FEWEST_PAIRS = 30;
/** Excess of one side's average length over the other's that is worth a word. */
const WORTH_SAYING = 0.05;

const found = ({ set, index, place }: LintInput, note: string): LintedRow => (
  { set, index, place, note }
);

const nameOf = ({ set, index, place }: LintInput) =>
  place ? `${place.path}:${place.line}` : `${set} row ${index + 1}`;

/** Pairs of a set that stand in it before. */
export function duplicates(rows: readonly LintInput[]): LintedRow[] {
  return seenBefore(rows, ({ set, keys: { prompt, chosen, rejected } }) => {
    const key = JSON.stringify([set, prompt, chosen, rejected]);
    return [key, key];
  }, "same as");
}

/** Pairs of a set that stand in it before with chosen and rejected exchanged. */
export function turnedRound(rows: readonly LintInput[]): LintedRow[] {
  return seenBefore(rows, ({ set, keys: { prompt, chosen, rejected } }) => [
    JSON.stringify([set, prompt, chosen, rejected]),
    JSON.stringify([set, prompt, rejected, chosen]),
  ], "reverse of");
}

/** Validation rows whose prompt, spaces aside, is one of training's. */
export function promptOverlap(rows: readonly LintInput[]): LintedRow[] {
  const plain = ({ keys }: LintInput) =>
    keys.prompt.normalize("NFC").replace(SPACES, " ").replace(OUTER_SPACES, "");
  const trained = new Map<string, LintInput>();
  for (const row of rows) {
    if (row.set === "train" && !trained.has(plain(row))) trained.set(plain(row), row);
  }
  return rows.filter(({ set }) => set === "validation").flatMap((row) => {
    const first = trained.get(plain(row));
    return first ? [found(row, `prompt of ${nameOf(first)}`)] : [];
  });
}

/** Spaces, also as JSON writes those of messages. */
const SPACES = /(?:\s|\\[nrt])+/g;
/** The one before or after a text, also within the quotes of a message. */
const OUTER_SPACES = /^ | $|(?<=") | (?=")/g;

function seenBefore(
  rows: readonly LintInput[],
  keysOf: (row: LintInput) => [kept: string, sought: string],
  word: string,
): LintedRow[] {
  const first = new Map<string, LintInput>();
  return rows.flatMap((row) => {
    const [kept, sought] = keysOf(row), before = first.get(sought);
    if (!first.has(kept)) first.set(kept, row);
    return before ? [found(row, `${word} ${nameOf(before)}`)] : [];
  });
}

/**
 * How much longer training's chosen answers are than the rejected ones, and the rows that make it so
 * where it is more than 5 % and more than chance (95 %, 30 pairs at least).
 */
export function lengthBias(
  rows: readonly LintInput[],
): { figure: string | null; rows: LintedRow[] } {
  const train = rows.filter(({ set }) => set === "train");
  if (train.length === 0) return { figure: null, rows: [] };
  const lengths = train.map(({ chosen, rejected, tokens }) =>
    tokens ? [tokens.chosen, tokens.rejected] : [chosen.length, rejected.length]
  );
  const unit = train[0]?.tokens ? "tokens" : "characters";
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const [chosen, rejected] = [0, 1].map((side) => mean(lengths.map((both) => both[side])));
  const excess = lengths.map(([a, b]) => a - b), gap = mean(excess);
  const deviation = Math.sqrt(mean(excess.map((value) => (value - gap) ** 2)));
  const isCertain = Math.abs(gap) > 1.96 * deviation / Math.sqrt(train.length);
  const isLarge = Math.abs(gap) > WORTH_SAYING * Math.min(chosen, rejected);
  const isBiased = train.length >= FEWEST_PAIRS && isCertain && isLarge;
  const word = gap < 0 ? "shorter" : "longer";
  const figure = `chosen ${chosen.toFixed(1)}, rejected ${rejected.toFixed(1)} ${unit} on ` +
    `average: ${percent(Math.abs(gap) / rejected)} ${word}`;
  const causes = excess.map((value, i) => ({ value: value * Math.sign(gap), row: train[i] }))
    .filter(({ value }) => isBiased && value > 0).toSorted((a, b) => b.value - a.value);
  return { figure, rows: causes.map(({ value, row }) => found(row, `${value} ${unit} ${word}`)) };
}

/**
 * Pairs whose answers share too little for the comparison to be about a detail. One that changes a
 * single clinical detail is none of them, however short its answers are ("Penicillin.").
 */
export function farApart(rows: readonly LintInput[], minSimilarity: number): LintedRow[] {
  return rows.flatMap((row) => {
    const alike = similarity(row.chosen, row.rejected);
    if (alike >= minSimilarity) return [];
    const kind = changedDetail(row.chosen, row.rejected);
    return DETAIL_KINDS.some((name) => name === kind)
      ? []
      : [found(row, `${percent(alike)} alike`)];
  });
}

/** Pairs whose answers are the same but for spaces. */
export function onlySpaces(rows: readonly LintInput[]): LintedRow[] {
  const bare = (text: string) => text.normalize("NFC").replace(/\s+/g, "");
  return rows.filter(({ chosen, rejected }) => bare(chosen) === bare(rejected))
    .map((row) => found(row, "only spaces differ"));
}

/** Rows whose prompt leaves no token for an answer. */
export function longPrompts(rows: readonly LintInput[], maxLength: number): LintedRow[] {
  return rows.filter(({ tokens }) => tokens!.prompt >= maxLength)
    .map((row) => found(row, formatCount(row.tokens!.prompt, "token")));
}

/** Rows whose prompt fits, and one of whose answers is cut. */
export function cutAnswers(rows: readonly LintInput[], maxLength: number): LintedRow[] {
  return rows.flatMap((row) => {
    const { prompt, chosen, rejected, shared } = row.tokens!;
    const all = prompt + Math.max(chosen, rejected);
    if (prompt >= maxLength || all <= maxLength) return [];
    const isSame = prompt + shared >= maxLength;
    const note = formatCount(all, "token") + (isSame ? ", what differs is cut off" : "");
    return [found(row, note)];
  });
}

/** Pairs whose rejected answer the prompt bears out by the meter's reading, and chosen not. */
export function supportedRejected(rows: readonly LintInput[]): LintedRow[] {
  let last = "", source = readSource(last);
  return rows.flatMap((row) => {
    // Several pairs of one prompt mostly stand together.
    if (row.prompt !== last) [last, source] = [row.prompt, readSource(row.prompt)];
    const rejected = measureAgainst(row.rejected, source);
    if (rejected.details === 0 || rejected.unsupported.length > 0) return [];
    const [wrong] = measureAgainst(row.chosen, source).unsupported;
    return wrong ? [found(row, `chosen says "${wrong.text}"`)] : [];
  });
}

/** Rows that wrong decoding left its traces in, or that write accents otherwise than the most. */
export function badEncoding(rows: readonly LintInput[]): LintedRow[] {
  const fields = ["prompt", "chosen", "rejected"] as const;
  const forms = rows.map((row) => normalForm(fields.map((field) => row[field]).join("\n")));
  const count = (form: string) => forms.filter((other) => other === form).length;
  const odd = count("composed") >= count("decomposed") ? "decomposed" : "composed";
  const isMixed = count("composed") > 0 && count("decomposed") > 0;
  return rows.flatMap((row, i) => {
    const field = fields.find((name) => encodingTrouble(row[name]) !== null);
    if (field) return [found(row, `${encodingTrouble(row[field])} in ${field}`)];
    if (forms[i] === "both") return [found(row, "accents in two normal forms")];
    return isMixed && forms[i] === odd ? [found(row, `accents ${odd}, others not`)] : [];
  });
}
