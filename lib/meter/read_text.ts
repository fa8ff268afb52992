import { namesAt, PASSED_OVER } from "./concepts.ts";
import type { Polarity } from "./deny_sentence.ts";
import { readPolarity, speakerLabels } from "./polarity.ts";
import { type CalendarDate, readDates } from "./read_dates.ts";
import { type Frequency, readFrequencies } from "./read_frequencies.ts";
import { readNumbers } from "./read_numbers.ts";
import { type Quantity, readQuantities } from "./read_quantities.ts";
import { readSides, type Side } from "./read_sides.ts";
import { stem } from "./stem.ts";
import { readTokens, type Token } from "./tokens.ts";

/** A word in the forms that it is compared in. */
export type Mention = {
  token: number;
  word: string;
  stem: string;
  /** Written in capitals: "COPD". */
  capitals: boolean;
  /** What it, or a phrase that it is part of, is another name of. */
  concepts: string[];
  /** How many mentions from this one on are one name: 3 for "shortness of breath". */
  length: number;
  polarity: Polarity;
};

/** What a text says. */
export type ReadText = {
  text: string;
  tokens: Token[];
  quantities: Quantity[];
  dates: CalendarDate[];
  frequencies: Frequency[];
  sides: Side[];
  polarity: Polarity[];
  mentions: Mention[];
};

/** Words that deny what the rest of them says: "afebrile", "nontender". */
const DENYING: [RegExp, string][] = [[/^non(?=\p{L}{4})/u, ""], [/^a(?=febrile|symptomatic)/, ""]];

/** Reads a text: its words, what they stand for, its numbers, its dates, what it denies. */
export function readText(text: string): ReadText {
  const tokens = readTokens(text);
  const labels = speakerLabels(tokens);
  const numbers = readNumbers(tokens);
  const polarity = readPolarity(tokens, labels);
  return {
    text,
    tokens,
    quantities: readQuantities(tokens, numbers),
    dates: readDates(tokens, numbers),
    frequencies: readFrequencies(tokens, numbers),
    sides: readSides(tokens),
    polarity,
    mentions: readMentions(tokens, { labels, polarity }),
  };
}

function readMentions(
  tokens: Token[],
  { labels, polarity }: { labels: boolean[]; polarity: Polarity[] },
): Mention[] {
  const mentions: Mention[] = [];
  for (const [i, { text, word, kind }] of tokens.entries()) {
    if (kind !== "word" || labels[i]) continue;
    const denying = DENYING.find(([prefix]) => prefix.test(word));
    const plain = denying ? word.replace(denying[0], denying[1]) : word;
    const turned = denying && polarity[i] === "affirmed" ? "negated" : polarity[i];
    mentions.push({
      token: i,
      word: plain,
      stem: stem(plain),
      capitals: word.length >= 3 && /^\p{Lu}+$/u.test(text),
      concepts: [],
      length: 1,
      polarity: turned,
    });
  }
  nameConcepts(mentions, tokens);
  return mentions;
}

/** Tells words what they are names of, alone or together, small words passed over or not. */
function nameConcepts(mentions: Mention[], tokens: Token[]): void {
  const all = mentions.map((_, i) => i);
  for (const row of [all, all.filter((i) => !PASSED_OVER.has(mentions[i].word))]) {
    const stems = row.map((i) => mentions[i].stem);
    row.forEach((from, at) => {
      for (const { concept, stems: { length } } of namesAt(stems, at)) {
        const to = row[at + length - 1];
        if (tokens[mentions[to].token].sentence !== tokens[mentions[from].token].sentence) continue;
        mentions[from].length = Math.max(mentions[from].length, to - from + 1);
        for (let k = at; k < at + length; k++) {
          const { concepts } = mentions[row[k]];
          if (!concepts.includes(concept)) concepts.push(concept);
        }
      }
    });
  }
}
