/** A piece of a text: a word, a number in digits, or one mark. */
export type Token = {
  /** As it stands in the text. */
  text: string;
  /** Lower case, without dots and possessives: "bid" for "b.i.d.", "patient" for "patient's". */
  word: string;
  kind: "word" | "number" | "mark";
  start: number;
  end: number;
  /** Counts up; a question is a sentence of its own. */
  sentence: number;
};

/** Linear in the text's length: no alternative can begin where another failed late. */
const PIECE = /(?:\p{L}\.){2,}|\d+(?:[.,]\d+)*|\p{L}[\p{L}\p{M}\p{N}]*(?:['’]\p{L}+)*|[^\s]/gu;
/** A period behind these ends no sentence. */
const ABBREVIATED = new Set("dr mr mrs ms vs st approx".split(" "));

/** Cuts a text into words, numbers and marks, and these into sentences. */
export function readTokens(text: string): Token[] {
  const tokens: Token[] = [];
  let sentence = 0;
  let ended = false;
  for (const { 0: piece, index: start } of text.matchAll(PIECE)) {
    const end = start + piece.length;
    const last = tokens.at(-1);
    const first = piece.codePointAt(0)!;
    const kind = first >= 48 && first <= 57 ? "number" : /^\p{L}/u.test(piece) ? "word" : "mark";
    if (last !== undefined && !/^[.!?)"”]/.test(piece)) {
      const newLine = text.slice(last.end, start).includes("\n") && /^\P{Ll}/u.test(piece);
      if (ended || newLine) sentence++;
      ended = false;
    }
    tokens.push({ text: piece, word: plain(piece, kind), kind, start, end, sentence });
    if (/^[.!?;]$/.test(piece) && !(piece === "." && ABBREVIATED.has(last?.word ?? ""))) {
      ended = true;
    }
  }
  return tokens;
}

function plain(piece: string, kind: Token["kind"]): string {
  if (kind !== "word") return piece;
  const word = piece.toLowerCase().replaceAll(".", "").replaceAll("’", "'");
  return word.endsWith("n't") ? word : word.replace(/'.*$/, "");
}
