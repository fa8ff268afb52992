import type { Token } from "./tokens.ts";

/** Whether what a word stands for is said to be so, not to be so, or neither for certain. */
export type Polarity = "affirmed" | "negated" | "unclear";

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
const SUBJECTS = new Set("he she they i we it patient there this that".split(" "));
/** Not able, or not willing: what is done may be so all the same. */
const UNABLE = /^(?:cannot|unable|(?:ca|could|wo|would|should|might|must)n't)$/;
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
const REACH = 30;
/** Behind a denial: nobody knows. */
const UNKNOWN = /^(?:know|sure|certain|remember|recall|think|aware)$/;
const FILLERS = new Set(
  ("oh um uh well so hmm ah doctor actually honestly okay ok like ma'am sir hm er i mean , . - … ' \"")
    .split(" "),
);
const NO = new Set("no nope nah none never not neither nothing negative nobody".split(" "));
const YES = new Set(
  ("yes yeah yep yup yea sure correct right absolutely definitely certainly exactly indeed uh-huh " +
    "mhm mm unfortunately").split(" "),
);
const SPEAKERS = new Set(
  "doctor patient guest nurse clinician family provider physician".split(" "),
);

/** Tokens that name a speaker and the colon behind: "Doctor :", "Guest _ family :". */
export function speakerLabels(tokens: Token[]): boolean[] {
  const labels = tokens.map(() => false);
  for (let i = 0; i < tokens.length; i++) {
    if (!SPEAKERS.has(tokens[i].word)) continue;
    let colon = i + 1;
    if (tokens[colon]?.text === "_") colon += 2;
    if (tokens[colon]?.text !== ":") continue;
    labels.fill(true, i, colon + 1);
  }
  return labels;
}

/** The sentences' tokens, as ranges. */
function sentencesOf(tokens: Token[]): Range[] {
  const ranges: Range[] = [];
  let from = 0;
  for (let i = 1; i <= tokens.length; i++) {
    if (i < tokens.length && tokens[i].sentence === tokens[from].sentence) continue;
    ranges.push({ from, to: i });
    from = i;
  }
  return tokens.length === 0 ? [] : ranges;
}

/**
 * Reads of each token whether it is affirmed or denied: by the denials of its sentence, in the way
 * of NegEx (Chapman et al. 2001), and, for a question, by the answer that follows.
 */
export function readPolarity(tokens: Token[], labels: boolean[]): Polarity[] {
  const polarity: Polarity[] = tokens.map(() => "affirmed");
  const isDialogue = labels.includes(true);
  let asked: Range[] = [];
  let last: Range | null = null;
  for (const range of sentencesOf(tokens)) {
    denySentence(tokens, range, polarity);
    const speaks = !isDialogue || labels[range.from];
    const answer = speaks ? answerOf(tokens, labels, range) : null;
    // "You have asthma. No." answers, too.
    if (asked.length === 0 && isDialogue && answer === "plain no" && last) asked = [last];
    last = range;
    if (answer !== null) asked.forEach((question) => answerQuestion(question, answer, polarity));
    if (isQuestion(tokens, range)) {
      if (answer !== null) asked = [];
      asked.push(range);
      for (let i = range.from; i < range.to; i++) {
        if (polarity[i] === "affirmed") polarity[i] = "unclear";
      }
      // A question stays open until somebody else has said something of substance.
    } else if (answer !== null || speaks && range.to - range.from > 4) asked = [];
  }
  return polarity;
}

type Range = { from: number; to: number };
type Answer = "yes" | "no" | "plain no";

function isQuestion(tokens: Token[], { from, to }: Range): boolean {
  for (let i = from; i < to; i++) if (tokens[i].text === "?") return true;
  return false;
}

function answerQuestion({ from, to }: Range, answer: Answer, polarity: Polarity[]): void {
  for (let i = from; i < to; i++) {
    if (answer !== "yes") polarity[i] = "negated";
    else polarity[i] = polarity[i] === "negated" ? "unclear" : "affirmed";
  }
}

function answerOf(tokens: Token[], labels: boolean[], { from, to }: Range): Answer | null {
  let i = from;
  while (i < to && (labels[i] || FILLERS.has(tokens[i].word))) i++;
  if (i === to) return null;
  const { word } = tokens[i];
  if (NO.has(word)) return /^[.,!]$/.test(tokens[i + 1]?.text ?? ".") ? "plain no" : "no";
  const next = tokens[i + 1]?.word ?? "";
  if (YES.has(word) && next !== "not") return "yes";
  if (word.endsWith("n't") || next.endsWith("n't") || next === "not" || next === "never") {
    return "no";
  }
  const auxiliary = /^(?:do|does|did|have|has|had|am|is|are|was|were|can|would)$/;
  const shortYes = auxiliary.test(next) && /^[.,!]$/.test(tokens[i + 2]?.text ?? ".");
  return shortYes ? "yes" : null;
}

function denySentence(
  tokens: Token[],
  { from, to }: Range,
  polarity: Polarity[],
): void {
  for (let i = from; i < to; i++) {
    const { word } = tokens[i];
    if (word === "if" || word === "whether" || UNABLE.test(word)) {
      mark(tokens, { from: i, to }, { polarity, as: "unclear" });
    }
    const denial = DENIALS.has(word) || word.endsWith("n't") && !UNABLE.test(word);
    if (!denial || !denies(tokens, i)) continue;
    if (endsTheSentence(tokens, i, to)) {
      // "Allergies: none", "the culture was negative"
      const first = Math.max(from, i - REACH);
      for (let k = i - 1; k >= first && tokens[k].text !== ","; k--) polarity[k] = "negated";
      continue;
    }
    const next = tokens[i + 1]?.word ?? "";
    if (UNKNOWN.test(next)) {
      if (next !== "think") mark(tokens, { from: i, to }, { polarity, as: "unclear" });
      else mark(tokens, { from: i, to }, { polarity, as: "negated" });
      continue;
    }
    mark(tokens, { from: i, to }, { polarity, as: "negated", listing: LISTING.has(word) });
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
  if (!/^(?:none|negative|absent|no|not|never)$/.test(tokens[i].word)) return false;
  let next = i + 1;
  while (next < to && tokens[next].kind === "mark") next++;
  return i > 0 && next === to;
}

/** Marks what follows a word up to the end of its clause. */
function mark(
  tokens: Token[],
  { from, to }: Range,
  { polarity, as, listing = false }: { polarity: Polarity[]; as: Polarity; listing?: boolean },
): void {
  let now = as;
  for (let i = from + 1; i < Math.min(to, from + REACH); i++) {
    const { word, text } = tokens[i];
    const next = tokens[i + 1]?.word ?? "";
    if (ENDS.has(word) && i > from + 1) return;
    if (/^[:)(]$/.test(text)) return;
    if (
      (text === "," || word === "and") && (SUBJECTS.has(next) || ENDS.has(next) || next === "with")
    ) return;
    if (text === "," && !listing && as === "negated") {
      if (!listEnds(tokens, i, to)) now = "unclear";
    }
    if (as === "negated" && CIRCUMSTANCES.has(word) && i > from + 1) return;
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
