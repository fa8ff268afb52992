import { type Polarity, type Range, SUBJECTS } from "./deny_sentence.ts";
import type { Token } from "./tokens.ts";

/** What an answer says to a question; a plain "no" may answer a statement, too. */
export type Answer = "yes" | "no" | "plain no";

const FILLERS = new Set(
  ("oh um uh well so hmm ah doctor actually honestly okay ok like ma'am sir hm er i mean that's a " +
    "thankfully luckily fortunately most , . - … ' \"").split(" "),
);
const NO = new Set(
  "no nope nah none never not neither nothing negative nobody noone".split(" "),
);
const YES = new Set(
  ("yes yeah yep yup yea sure correct right absolutely definitely certainly exactly indeed uh-huh " +
    "mhm mm unfortunately true").split(" "),
);
const AUXILIARY = /^(?:do|does|did|have|has|had|am|is|are|was|were|can|would|should|will)(?:n't)?$/;
/** "Not that I know of", "I don't remember any": no, as far as anybody can tell. */
const KNOWING = /^(?:know|recall|remember|think|aware|believe|noticed?|seen?)$/;
/** What is asked with these is taken to be so: "how long have you had fever?" */
const PRESUMING = /^(?:when|where|why)$/;
const PRESUMING_HOW = /^(?:long|often|many|much|bad|severe|frequently|far)$/;
/** Before what is no part of what is denied: "any complications with your pregnancy?" */
const CIRCUMSTANCES = new Set(
  "with for since after during when while before at despite besides aside".split(" "),
);

/** Whether a sentence asks. */
export function isQuestion(tokens: Token[], { from, to }: Range): boolean {
  for (let i = from; i < to; i++) if (tokens[i].text === "?") return true;
  return false;
}

/** The first token of a sentence that is no speaker's name and no filler. */
function opening(tokens: Token[], labels: boolean[], { from, to }: Range): number {
  let i = from;
  while (i < to && (labels[i] || FILLERS.has(tokens[i].word))) i++;
  return i;
}

/** Whether a question takes for granted what it names. */
export function presumes(tokens: Token[], labels: boolean[], range: Range): boolean {
  const i = opening(tokens, labels, range);
  const [word, next] = [tokens[i]?.word ?? "", tokens[i + 1]?.word ?? ""];
  return PRESUMING.test(word) || word === "how" && PRESUMING_HOW.test(next);
}

/** What a sentence answers to the question before it, if it does. */
export function answerOf(tokens: Token[], labels: boolean[], range: Range): Answer | null {
  const i = opening(tokens, labels, range);
  if (i === range.to) return null;
  const words = tokens.slice(i, i + 5).map(({ word }) => word);
  const [word, next = "", third = ""] = words;
  if (NO.has(word)) {
    // "Oh no!" is no answer to a statement.
    const exclaims = tokens[i - 1]?.word === "oh" || tokens[i - 2]?.word === "oh";
    return !exclaims && /^[.,!]$/.test(tokens[i + 1]?.text ?? ".") ? "plain no" : "no";
  }
  if (YES.has(word) && next !== "not") return "yes";
  if (/^(?:that|it|this)$/.test(word) && /^(?:is|was|sounds)$/.test(next) && YES.has(third)) {
    return "yes";
  }
  if (word.endsWith("n't") || next.endsWith("n't") || next === "not" || next === "never") {
    return words.slice(2).some((later) => KNOWING.test(later)) && !hasAny(tokens, i, range.to)
      ? null
      : "no";
  }
  const shortYes = AUXILIARY.test(next) && /^[.,!]$/.test(tokens[i + 2]?.text ?? ".");
  return shortYes ? "yes" : null;
}

/** "I don't know of any", "I don't think so". */
function hasAny(tokens: Token[], from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (/^(?:any|anything|so|of)$/.test(tokens[i].word)) return true;
  return false;
}

/** Marks what a question asks for by its answer. */
export function answerQuestion(
  tokens: Token[],
  range: Range,
  { answer, polarity }: { answer: Answer; polarity: Polarity[] },
): void {
  const { to } = range;
  if (answer === "yes") {
    for (let i = range.from; i < to; i++) {
      polarity[i] = polarity[i] === "negated" ? "unclear" : "affirmed";
    }
    return;
  }
  const from = askedFrom(tokens, range);
  for (let i = range.from; i < from; i++) if (polarity[i] === "unclear") polarity[i] = "affirmed";
  let aside = false;
  for (let i = from; i < to; i++) {
    const { word, text } = tokens[i];
    if (CIRCUMSTANCES.has(word) && tokens[i + 1]?.word !== "all" && i > from + 3) aside = true;
    else if (text === "," || word === "or") aside = false;
    polarity[i] = aside ? "unclear" : "negated";
  }
}

/** Where the question of a sentence begins: "I see you have asthma, do you take anything?" */
function askedFrom(tokens: Token[], { from, to }: Range): number {
  for (let i = to - 1; i > from + 4; i--) {
    const asks = AUXILIARY.test(tokens[i].word) && SUBJECTS.has(tokens[i + 1]?.word ?? "");
    if (asks && tokens[i - 1].text === ",") return i;
  }
  return from;
}
