import type { Token } from "./tokens.ts";

/** Relatives by each of their names. */
const RELATIVES = new Map(
  `mother mom mommy mama mum; father dad daddy; brother brothers; sister sisters;
  grandmother grandma; grandfather grandpa; son sons; daughter daughters; uncle uncles;
  aunt aunts; husband; wife`
    .split(";").map((names) => names.trim().split(/\s+/))
    .flatMap((names) => names.map((name): [string, string] => [name, names[0]])),
);
/** Words for several, or for whom no name tells. */
const ANYONE = new Set(
  ("patient parents siblings both everyone everybody all relatives kids children grandparents side " +
    "cousin cousins niece nephew partner spouse").split(" "),
);
const ANY = "*";
/** Between two of whom the same is said: "the mother and his father". */
const JOINTS = new Set("and or , / his her my your the".split(" "));
/** How many sentences back a relative is still spoken of. */
const BACK = 3;

const relativeOf = ({ word }: Token) => RELATIVES.get(word) ?? (ANYONE.has(word) ? ANY : undefined);

/**
 * The relatives that each token of a text is said of: the last ones before it in its sentence, or
 * else those behind it. None where the sentence names none.
 */
export function readRelatives(tokens: Token[]): Set<string>[] {
  const all = relativesBySentence(tokens);
  let last: { group: Set<string>; at: number } | null = null;
  return tokens.map((token, i) => {
    const relative = relativeOf(token);
    if (last && tokens[last.at].sentence !== token.sentence) last = null;
    if (relative !== undefined) {
      const joined = last && i - last.at <= 4 &&
        tokens.slice(last.at + 1, i).every(({ word }) => JOINTS.has(word));
      last = {
        group: joined ? last!.group.union(new Set([relative])) : new Set([relative]),
        at: i,
      };
    }
    return last?.group ?? all.get(token.sentence)!;
  });
}

/** The same of a source, in which a question is answered behind it, and pronouns follow names. */
export function readSourceRelatives(tokens: Token[]): Set<string>[] {
  const said = readRelatives(tokens);
  const all = relativesBySentence(tokens);
  const asks = new Set(tokens.filter(({ text }) => text === "?").map(({ sentence }) => sentence));
  const latest = new Map<number, Set<string>>();
  tokens.forEach(({ sentence }, i) => latest.set(sentence, said[i]));
  return tokens.map(({ sentence }, i) => {
    if (said[i].size > 0) return said[i];
    let found = asks.has(sentence) ? all.get(sentence + 1) ?? new Set<string>() : new Set<string>();
    for (let k = 1; k <= BACK; k++) {
      const earlier = latest.get(sentence - k);
      if (!earlier || earlier.size === 0) continue;
      found = found.union(earlier);
      break;
    }
    return found;
  });
}

/** The relatives that a text names. */
export const relativesIn = (tokens: Token[]): Set<string> =>
  new Set(tokens.flatMap((token) => relativeOf(token) ?? []));

/** The one relative that something is said of, if it is one. */
export function onlyRelative(relatives: Set<string>): string | null {
  const [first] = relatives;
  return relatives.size === 1 && first !== ANY ? first : null;
}

/** Whether what is said of these relatives may be said of this one. */
export const mayBeOf = (relative: string, those: Set<string>) =>
  those.size === 0 || those.has(relative) || those.has(ANY);

function relativesBySentence(tokens: Token[]): Map<number, Set<string>> {
  const all = new Map<number, Set<string>>();
  for (const token of tokens) {
    let there = all.get(token.sentence);
    if (there === undefined) all.set(token.sentence, there = new Set());
    const relative = relativeOf(token);
    if (relative !== undefined) there.add(relative);
  }
  return all;
}
