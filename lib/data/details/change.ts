/** What kind of clinical detail a change makes wrong; "addition" is a sentence too much. */
export const DETAIL_KINDS = [
  "number",
  "age",
  "date",
  "duration",
  "dose",
  "frequency",
  "unit",
  "reading",
  "drug",
  "diagnosis",
  "symptom",
  "procedure",
  "side",
  "site",
  "severity",
  "course",
  "negation",
  "sex",
  "relative",
  "addition",
] as const;
/** What kind of detail was changed. */
export type DetailKind = typeof DETAIL_KINDS[number];

/** Characters `start` to `end` of the text, and what stands there afterwards. */
export type Edit = { start: number; end: number; text: string };

/** One way to make a detail wrong; more than one edit where the detail is said more than once. */
export type Change = { before: string; after: string; edits: Edit[] };

/** A detail found in a text. */
export type Detail = {
  kind: DetailKind;
  /** Whether the source states it too. */
  supported: boolean;
  /** Ways to make it wrong; none of them is stated in the source. */
  changes: Change[];
};

/** A text whose details are looked for, and what the source states. */
export type Search = { text: string; source: SourceFacts };

/** What a source states, in the forms that details are compared in. */
export type SourceFacts = {
  /** Lower case; empty where there is no source. */
  text: string;
  numbers: Set<number>;
  /** Numbers with a unit of time, as `3 week`. */
  durations: Set<string>;
};

/** The text after a change. */
export function applyChange(text: string, { edits }: Pick<Change, "edits">): string {
  let changed = "";
  let from = 0;
  for (const { start, end, text: replacement } of edits.toSorted((a, b) => a.start - b.start)) {
    changed += text.slice(from, start) + replacement;
    from = end;
  }
  return changed + text.slice(from);
}

/** Gives `word` the capitals of `model`: "Left" for "right" where "Right" stood. */
export function likeCase(word: string, model: string): string {
  if (model.length > 1 && model === model.toUpperCase()) return word.toUpperCase();
  const capital = /^\p{Lu}/u.test(model);
  return capital ? word[0].toUpperCase() + word.slice(1) : word;
}

/** A change of one place. */
export function replaceAt(start: number, before: string, after: string): Change {
  return { before, after, edits: [{ start, end: start + before.length, text: after }] };
}

/** Whether a word, or a number when read aloud, takes "an". */
function takesAn(word: string): boolean {
  return /^(?:8|11(?!\d)|18(?!\d)|[aeio]|u(?!ni|r[io]|s[eu]))/i.test(word);
}

/** Whether `after` may stand for `before` behind the "a" or "an" that the text has there. */
export function fitsArticle(text: string, start: number, after: string): boolean {
  const article = /\b(an?) $/i.exec(text.slice(Math.max(0, start - 4), start))?.[1];
  return article === undefined || takesAn(after) === (article.toLowerCase() === "an");
}
