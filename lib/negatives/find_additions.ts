import type { Detail } from "../data/details/change.ts";
import { sexOf } from "../meter/sex_of.ts";
import type { Random } from "../random.ts";

/** Characters of a sentence that can be added. */
const SHORTEST = 20, LONGEST = 70;
/** Sentences that are looked at for a text, and how many of them are proposed. */
const DRAWN = 60, PROPOSED = 3;

/** A sentence of its own: a subject and a verb, and nothing that points to one before it. */
const SENTENCE =
  /^(?:He|She|The patient|Patient|His|Her|Family history|Social history|There)\b[^:;"()]*\b(?:is|are|was|were|has|have|had|does|did|denies|denied|reports|reported|takes|took|lives|works|smokes|drinks|uses|states|complains|underwent|shows?|\w{3,}ed)\b[^:;"()]*\.$/;
const POINTING =
  /\b(?:this|that|these|those|above|also|however|it|same|other|another|such|then)\b/i;
const BOUNDARY = /(?<=[a-z\d)]\.)(?<!\b(?:Dr|Mr|Mrs|Ms|vs|St)\.|\b\d\.)(?:\s+(?=[A-Z][a-z])|\s*$)/g;

/** A child's note, and what no child's note would say. */
const CHILD =
  /\b(?:newborn|infant|baby|toddler|(?:day|week|month)s?[- ]old|(?:[1-9]|1[0-5])[- ]years?[- ]old|mom|mommy)\b/i;
const GROWN_UP =
  /\b(?:wife|husband|spouse|married|divorced|widow\w*|work\w*|job|retired|employ\w*|smok\w+|tobacco|alcohol|drink\w*|packs?|child\w*|sons?|daughters?|pregnan\w*|boyfriend|girlfriend)\b/i;

/** Takes out of notes the sentences that another note could have, each once. */
export function standAloneSentences(notes: Iterable<string>): string[] {
  const sentences = new Set<string>();
  for (const note of notes) {
    for (const sentence of note.split(BOUNDARY)) {
      const { length } = sentence;
      if (length < SHORTEST || length > LONGEST || POINTING.test(sentence)) continue;
      if (SENTENCE.test(sentence)) sentences.add(sentence);
    }
  }
  return [...sentences];
}

/**
 * Proposes sentences of other notes that speak of a patient of the same sex and of like things, of
 * at most `room` characters with the space before them.
 */
export function findAdditions(
  text: string,
  { sentences, room, random }: { sentences: readonly string[]; room: number; random: Random },
): Detail[] {
  if (room < SHORTEST) return [];
  const places = [...text.matchAll(BOUNDARY)];
  if (places.length === 0 || sentences.length === 0) return [];
  const own = sexOf(text), words = wordsOf(text), isChild = CHILD.test(text);
  const drawn = Array.from({ length: DRAWN }, () => sentences[random.below(sentences.length)]);
  const fitting = [...new Set(drawn)].filter((sentence) => {
    if (isChild && GROWN_UP.test(sentence)) return false;
    const { male, female } = sexOf(sentence);
    if (sentence.length + 2 > room || text.includes(sentence)) return false;
    return (!male || own.male && !own.female) && (!female || own.female && !own.male);
  });
  const changes = fitting
    .map((sentence) => ({ sentence, shared: wordsOf(sentence).intersection(words).size }))
    .toSorted((a, b) => b.shared - a.shared).slice(0, PROPOSED)
    .map(({ sentence }) => {
      const { 0: gap, index } = places[random.below(places.length)];
      const space = gap || (text.includes(".  ") ? "  " : " ");
      const isEnd = index + gap.length === text.length;
      const added = isEnd ? `${space}${sentence}` : `${sentence}${space}`;
      const start = isEnd ? index : index + gap.length;
      return { before: "", after: sentence, edits: [{ start, end: start, text: added }] };
    });
  return changes.length === 0 ? [] : [{ kind: "addition", supported: true, changes }];
}

/** Words that tell what a text is about. */
const wordsOf = (text: string) =>
  new Set((text.toLowerCase().match(/[a-z]{5,}/g) ?? []).filter((word) => word !== "patient"));
