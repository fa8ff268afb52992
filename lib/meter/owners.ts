import type { Token } from "./tokens.ts";
import { GENERIC_NAMES, isDrug } from "./word_lists.ts";

/** Of whom or of what something may be said: a name for the same one, `ANY` for several. */
export type NameOf = (token: Token) => string | undefined;

const ANY = "*";
const NOBODY: Set<string> = new Set();
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
/** Names relatives: "mother" for "mom". */
export const relativeOf: NameOf = ({ word }) =>
  RELATIVES.get(word) ?? (ANYONE.has(word) ? ANY : undefined);
/** Names medicines by their generic names. */
export const drugOf: NameOf = ({ word }) =>
  isDrug(word) ? GENERIC_NAMES.get(word) ?? word : undefined;

/** Between two of whom the same is said: "the mother and his father". */
const JOINTS = new Set("and or , / his her my your the".split(" "));
/** Most of whom the same is said at once: a bound, so that no list takes long to copy. */
const MOST_TOGETHER = 10;
/** How many sentences back somebody is still spoken of. */
const BACK = 3;

/**
 * Of whom each token of a text is said: of the last ones named before it in its sentence, or else of
 * those behind it. Of nobody where the sentence names none.
 */
export function readOwners(tokens: Token[], nameOf: NameOf): Set<string>[] {
  return ownersOf(tokens, nameOf).owners;
}

function ownersOf(tokens: Token[], nameOf: NameOf) {
  const names = tokens.map((token, i) => {
    const name = nameOf(token);
    return name === ANY && tokens[i + 1]?.text === ":" ? undefined : name; // "Patient:"
  });
  const all = new Map<number, Set<string>>();
  tokens.forEach(({ sentence }, i) => {
    const name = names[i];
    if (name === undefined) return;
    const there = all.get(sentence);
    if (there) there.add(name);
    else all.set(sentence, new Set([name]));
  });
  let last: { group: Set<string>; at: number } | null = null;
  const owners = tokens.map(({ sentence }, i) => {
    const name = names[i];
    if (last && tokens[last.at].sentence !== sentence) last = null;
    if (name !== undefined) {
      const joined = last && i - last.at <= 4 && last.group.size < MOST_TOGETHER &&
        tokens.slice(last.at + 1, i).every(({ word }) => JOINTS.has(word));
      last = { group: joined ? last!.group.union(new Set([name])) : new Set([name]), at: i };
    }
    return last?.group ?? all.get(sentence) ?? NOBODY;
  });
  return { owners, all };
}

/** The same of a source, in which a question is answered behind it, and pronouns follow names. */
export function readSourceOwners(tokens: Token[], nameOf: NameOf): Set<string>[] {
  const { owners, all } = ownersOf(tokens, nameOf);
  if (all.size === 0) return owners;
  const asks = new Set(tokens.filter(({ text }) => text === "?").map(({ sentence }) => sentence));
  const latest = new Map(tokens.map(({ sentence }, i) => [sentence, owners[i]]));
  const around = new Map<number, Set<string>>();
  for (const sentence of latest.keys()) {
    let earlier = NOBODY;
    for (let k = 1; k <= BACK && earlier.size === 0; k++) {
      earlier = latest.get(sentence - k) ?? NOBODY;
    }
    const answer = asks.has(sentence) ? all.get(sentence + 1) : undefined;
    around.set(sentence, answer ? earlier.union(answer) : earlier);
  }
  return tokens.map(({ sentence }, i) => owners[i].size > 0 ? owners[i] : around.get(sentence)!);
}

/** Of which drugs a dose is said: "40 mg of Lasix" is of the one behind it. */
export function doseOwners(
  tokens: Token[],
  { to }: { to: number },
  drugs: Set<string>[],
): Set<string> {
  const behind = tokens[to]?.word === "of" ? tokens[to + 1] : tokens[to];
  const drug = behind && drugOf(behind);
  return drug === undefined ? drugs[to - 1] : new Set([drug]);
}

/** Everybody that a text names. */
export const namesIn = (tokens: Token[], nameOf: NameOf): Set<string> =>
  new Set(tokens.flatMap((token) => nameOf(token) ?? []));

/** The one of whom something is said, if it is one. */
export function onlyOwner(owners: Set<string>): string | null {
  const [first] = owners;
  return owners.size === 1 && first !== ANY ? first : null;
}

/** Whether what is said of these may be said of this one. */
export const mayBeOf = (owner: string, those: Set<string>) =>
  those.size === 0 || those.has(owner) || those.has(ANY);
