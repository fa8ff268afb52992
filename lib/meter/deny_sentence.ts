import type { Token } from "./tokens.ts";

/** Whether what a word stands for is said to be so, not to be so, or neither for certain. */
export type Polarity = "affirmed" | "negated" | "unclear";

/** Tokens `from` to `to`, `to` left out. */
export type Range = { from: number; to: number };

/** Begin a denial: what follows is denied up to the clause's end. */
const DENIALS = new Set(
  ("no not without denies denied deny denying never neither nor none negative lacks lacked " +
    "lacking absent nobody nothing free").split(" "),
);
/** A denial of a list: its commas don't end it. */
const LISTING = new Set("denies denied deny denying negative without neither nor".split(" "));
/** End a denial. */
const ENDS = new Set(
  ("but however except although though besides aside apart which who because since so until then " +
    "while yet still reports reported complains complained admits states stated presents " +
    "has is was are were takes after due secondary").split(" "),
);
/** Follow "no cough", and go on with what is denied: "no cough was noted". */
const BEING = new Set("has is was are were".split(" "));
/** Who does something, as the subject of a clause. */
export const SUBJECTS = new Set("he she they i we you it patient there this that".split(" "));
/** Not able, not willing, not aware: it may be so all the same. */
const UNABLE = /^(?:cannot|unable|unaware|(?:ca|could|wo|would|should|might|must)n't)$/;
/** Behind a denial of these, what they are of is not denied: "no trouble walking". */
const OF_SOMETHING = new Set(
  "trouble problem problems difficulty difficulties issue issues change changes concern concerns"
    .split(" "),
);
/** Lead from what is denied to its circumstances: "no improvement on Sinemet". */
const CIRCUMSTANCES = new Set(
  "on with after for during at since from than prior despite when where".split(" "),
);
/** Most words that a denial reaches; a bound, so that no text takes more than linear time. */
const REACH = 60;
/** Behind a denial: nobody knows. */
const UNKNOWN = /^(?:know|sure|certain|remember|recall|think|aware)$/;

/**
 * Marks what the denials of a sentence reach, in the way of NegEx (Chapman et al. 2001): up to the
 * clause's end. Their circumstances, and what "if" introduces, are unclear.
 */
export function denySentence(tokens: Token[], { from, to }: Range, polarity: Polarity[]): void {
  for (let i = from; i < to; i++) {
    const { word } = tokens[i];
    if (word === "if" || word === "whether" || UNABLE.test(word)) {
      mark(tokens, { from: i, to }, { polarity, as: "unclear" });
    }
    if (word === "non" && tokens[i + 1]?.text === "-") {
      for (let k = i + 2; k < Math.min(to, i + 4); k++) polarity[k] = "negated";
    }
    const denial = DENIALS.has(word) || word.endsWith("n't") && !UNABLE.test(word);
    if (!denial || !denies(tokens, i)) continue;
    if (endsTheSentence(tokens, i, to)) {
      // "Allergies: none", "the culture was negative", "alcohol use, denies"
      const first = Math.max(from, i - REACH);
      let k = tokens[i - 1].text === "," ? i - 2 : i - 1;
      for (; k >= first && tokens[k].text !== ","; k--) polarity[k] = "negated";
      continue;
    }
    const next = tokens[i + 1]?.word ?? "";
    if (UNKNOWN.test(next)) {
      if (next !== "think") mark(tokens, { from: i, to }, { polarity, as: "unclear" });
      else mark(tokens, { from: i, to }, { polarity, as: "negated" });
      continue;
    }
    mark(tokens, { from: i, to }, { polarity, as: "negated" });
  }
}

function denies(tokens: Token[], i: number): boolean {
  const { word } = tokens[i];
  const next = tokens[i + 1]?.word ?? "";
  if (word === "negative") {
    return next === "for" || /^(?:is|was|are|were|:|tested)$/.test(tokens[i - 1]?.word ?? "");
  }
  if (word === "free") return next === "of";
  if (word === "not" || word === "no") return next !== "only" && next !== "doubt";
  return true;
}

/** Whether nothing but a mark follows. */
function endsTheSentence(tokens: Token[], i: number, to: number): boolean {
  if (!/^(?:none|negative|absent|no|not|never|denie[sd])$/.test(tokens[i].word)) return false;
  let next = i + 1;
  while (next < to && tokens[next].kind === "mark") next++;
  return i > 0 && next === to;
}

/** Marks what follows a word up to the end of its clause. */
function mark(
  tokens: Token[],
  { from, to }: Range,
  { polarity, as }: { polarity: Polarity[]; as: Polarity },
): void {
  const listing = LISTING.has(tokens[from].word);
  const ofNothing = tokens[from].word === "no";
  let now = as;
  for (let i = from + 1; i < Math.min(to, from + REACH); i++) {
    const { word, text } = tokens[i];
    const next = tokens[i + 1]?.word ?? "";
    if (ENDS.has(word) && i > from + 1 && !(ofNothing && BEING.has(word))) return;
    if (/^[:)(]$/.test(text)) return;
    if (
      (text === "," || word === "and") && (SUBJECTS.has(next) || ENDS.has(next) || next === "with")
    ) return;
    if (text === "," && as === "negated") {
      if (listing) now = as;
      else if (!listEnds(tokens, i, to)) now = "unclear";
    }
    const aside = CIRCUMSTANCES.has(word) && next !== "all"; // "not at all"
    if (as === "negated" && aside && i > from + 1) now = "unclear";
    polarity[i] = now;
    if (as === "negated" && OF_SOMETHING.has(word)) now = "unclear";
  }
}

/** Whether a list with "or" or "nor" goes on behind a comma. */
function listEnds(tokens: Token[], from: number, to: number): boolean {
  for (let i = from + 1; i < to && i < from + 12; i++) {
    const { word } = tokens[i];
    if (word === "or" || word === "nor") return true;
    if (ENDS.has(word) || SUBJECTS.has(word)) return false;
  }
  return false;
}
