import { type Claim, isFinding, type WordInPlace } from "./claims.ts";
import type { Polarity } from "./deny_sentence.ts";
import type { CalendarDate } from "./read_dates.ts";
import type { Quantity } from "./read_quantities.ts";
import type { Mention } from "./read_text.ts";
import type { Side } from "./read_sides.ts";
import { mayBeOf } from "./owners.ts";
import { amountKey, dateKey, type SourceIndex } from "./source_index.ts";

/** Whether a source bears a detail out; `null` where nothing is claimed that it could contradict. */
export function isSupported(claim: Claim, source: SourceIndex): boolean | null {
  switch (claim.of) {
    case "quantity":
      return statesQuantity(claim.quantity, claim.owner, source);
    case "frequency":
      return source.frequencies.has(claim.frequency.key);
    case "date":
      return source.dates.has(dateKey(claim.date)) || yearIsSaid(claim.date, source);
    case "side":
      return statesSide(claim.side, source);
    case "sex":
      return statesSex(claim.sex, source);
    case "word":
      return claim.words.every((word) =>
        statesWord(word.mention, source) || isCompound(word, source)
      ) && isOf(claim.owner, claim.words, source);
    case "denial":
      return agrees(claim.mentions, source, "negated");
    case "affirmation":
      // A statement that is not denied is no detail of its own: its words are.
      return agrees(claim.mentions, source, "affirmed") === false ? false : null;
  }
}

function statesQuantity(
  { kind, values, quantity, amounts }: Quantity,
  owner: string | null,
  source: SourceIndex,
): boolean {
  const isOf = (other: Quantity) =>
    owner === null || !source.owners.has(owner) || (kind === "dose") !== (other.kind === "dose") ||
    source.saidOf.get(other)!.some((those) => mayBeOf(owner, those));
  return values.some((value, i) => {
    const same = (source.byValue.get(value) ?? []).filter(isOf);
    if (quantity === null) return same.length > 0;
    if (same.some((other) => other.quantity === null)) return true;
    const equal = source.byAmount.get(amountKey(quantity, amounts[i])) ?? [];
    return equal.some((other) => isOf(other) && (kind === "age") === (other.kind === "age"));
  });
}

/** A year alone may be said in two digits. */
function yearIsSaid({ month, year }: CalendarDate, source: SourceIndex): boolean {
  return month === null && year !== null && source.byValue.has(year);
}

function statesSide({ side, part }: Side, { sides, words }: SourceIndex): boolean {
  const same = (other: Side) =>
    other.side === side || other.side === "both" || side === "both" && words.has("both");
  const ofPart = part === null ? [] : sides.filter((other) => other.part === part);
  if (side === "both" && ["both", "each", "bilater"].some((word) => words.has(word))) return true;
  if (ofPart.length > 0) {
    return side === "both" ? new Set(ofPart.map((one) => one.side)).size > 1 : ofPart.some(same);
  }
  return sides.some(same) || side !== "both" && words.has(side);
}

function statesSex(sex: "male" | "female", { sex: { male, female } }: SourceIndex): boolean | null {
  if (!male && !female) return null;
  return sex === "male" ? male : female;
}

function keysOf({ stem, concepts }: Mention): string[] {
  return [stem, ...concepts];
}

function statesWord(mention: Mention, { words }: SourceIndex): boolean {
  return keysOf(mention).some((key) => words.has(key));
}

/** Whether the source may say the words of this one, and not of others alone. */
function isOf(owner: string | null, said: WordInPlace[], source: SourceIndex): boolean {
  if (owner === null || !source.owners.has(owner)) return true;
  return said.every(({ mention }) => {
    const places = keysOf(mention).flatMap((key) => source.saidOf.get(key) ?? []);
    return places.length === 0 || places.some((those) => mayBeOf(owner, those));
  });
}

function isCompound(
  { mention, before, after }: WordInPlace,
  { words, joined, initials }: SourceIndex,
): boolean {
  const { word, capitals } = mention;
  if (joined.has(word) || capitals && initials.has(word)) return true;
  const pairs = [before && before.stem + mention.stem, after && mention.word + after.stem];
  return pairs.some((pair) => pair !== undefined && (words.has(pair) || joined.has(pair)));
}

/** Whether the source says the words together in the same way; `null` where it can't be told. */
function agrees(mentions: Mention[], { words }: SourceIndex, as: Polarity): boolean | null {
  // A word that the source lacks is told by itself; to be denied, what names a finding is enough.
  const there = mentions.filter((mention) => keysOf(mention).some((key) => words.has(key)));
  if (there.length < mentions.length && (as === "negated" || !there.some(isFinding))) return null;
  const said = there.map((mention) => keysOf(mention).filter((key) => words.has(key)));
  const together = (polarity: Polarity) => {
    const [first, ...others] = said.map((keys) =>
      new Set(keys.flatMap((key) => [...words.get(key)![polarity]]))
    );
    return others.reduce((common, other) => common.intersection(other), first);
  };
  const denied = together("negated");
  const affirmed = together("affirmed").size > 0;
  // "Any swelling? Well, my ankles have no swelling": the denial answers.
  const open = [...together("unclear")].some((place) =>
    !denied.has(place + 1) && !denied.has(place + 2)
  );
  if (as === "affirmed") return denied.size === 0 || affirmed || open;
  if (denied.size > 0) return true;
  const doubted = open || said.some((keys) => keys.some((key) => words.get(key)!.negated.size > 0));
  if (!affirmed && doubted) return true;
  return there.some(isFinding) ? false : null;
}
