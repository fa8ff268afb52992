import { answerOf, answerQuestion, isQuestion, presumes } from "./answers.ts";
import { denySentence, type Polarity, type Range } from "./deny_sentence.ts";
import type { Token } from "./tokens.ts";

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
    if (answer !== null) {
      asked.forEach((question) => answerQuestion(tokens, question, { answer, polarity }));
    }
    if (isQuestion(tokens, range)) {
      if (answer !== null) asked = [];
      if (presumes(tokens, labels, range)) continue;
      asked.push(range);
      for (let i = range.from; i < range.to; i++) {
        if (polarity[i] === "affirmed") polarity[i] = "unclear";
      }
      // A question stays open until somebody else has said something of substance.
    } else if (answer !== null || speaks && range.to - range.from > 4) asked = [];
  }
  return polarity;
}
