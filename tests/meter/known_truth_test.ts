/** Notes whose facts are known: what the meter finds, and that it finds nothing else. */
import { assert, assertEquals } from "../../lib/std.ts";
import { corruptDetail } from "../../lib/data/hard_negatives.ts";
import { corruptCase, drawCase, writeNote, writeSummary } from "../../lib/data/synthetic_notes.ts";
import { measureHallucination } from "../../lib/meter/measure_hallucination.ts";
import { createRandom } from "../../lib/random.ts";

type Span = { start: number; end: number };

/** Where `text` differs from `truth`: whole words, and what follows a word that was left out. */
function changedSpan(truth: string, text: string): Span {
  let start = 0, tail = 0;
  while (start < text.length && text[start] === truth[start]) start++;
  const rest = Math.min(text.length, truth.length) - start;
  while (tail < rest && text.at(-1 - tail) === truth.at(-1 - tail)) tail++;
  let end = text.length - tail;
  while (start > 0 && /\w/.test(text[start - 1])) start--;
  while (end < text.length && /[\w ]/.test(text[end])) end++;
  return { start, end };
}

/** Counts of texts with one wrong detail: found or not, and of what was found, right or not. */
function tally(made: { truth: string; text: string; note: string; kind: string }[]) {
  let found = 0, hits = 0, alarms = 0;
  const missed: string[] = [];
  for (const { truth, text, note, kind } of made) {
    const changed = changedSpan(truth, text);
    const { unsupported } = measureHallucination(text, note);
    const right = unsupported.filter(({ start, end }) =>
      start < changed.end && end > changed.start
    );
    if (right.length > 0) found++;
    else missed.push(`${kind}: ${text}`);
    hits += right.length;
    alarms += unsupported.length - right.length;
  }
  return { recall: found / made.length, precision: hits / (hits + alarms), missed };
}

Deno.test("measureHallucination() finds nothing wrong in a true summary of a known note", () => {
  const random = createRandom(11);
  const wrong = Array.from({ length: 1000 }, () => {
    const facts = drawCase(random);
    const result = measureHallucination(writeSummary(facts), writeNote(facts, random));
    assert(result.details >= 11, writeSummary(facts));
    return result.unsupported;
  });
  assertEquals(wrong.flat(), []);
});

Deno.test("measureHallucination() finds the wrong fact of a known note, and no other", () => {
  const random = createRandom(12);
  const made = Array.from({ length: 1000 }, () => {
    const facts = drawCase(random);
    const { facts: other, kind } = corruptCase(facts, random);
    const [truth, text] = [facts, other].map(writeSummary);
    return { truth, text, note: writeNote(facts, random), kind };
  });
  const { recall, precision, missed } = tally(made);
  assert(recall >= 0.99 && precision >= 0.99, `${recall} ${precision}\n${missed.join("\n")}`);
});

Deno.test("measureHallucination() finds what corruptDetail() made wrong, and nothing else", () => {
  const random = createRandom(13);
  const made = Array.from({ length: 1000 }, () => {
    const facts = drawCase(random);
    const [note, truth] = [writeNote(facts, random), writeSummary(facts)];
    const wrong = corruptDetail(truth, { random, source: note })!;
    return { truth, text: wrong.text, note, kind: wrong.kind };
  });
  assertEquals(new Set(made.map(({ kind }) => kind)).size, 10);
  const { recall, precision, missed } = tally(made);
  assert(recall >= 0.99 && precision >= 0.99, `${recall} ${precision}\n${missed.join("\n")}`);
});

Deno.test("measureHallucination() recalls what a true summary has and a shorter one lacks", () => {
  const random = createRandom(14);
  for (let i = 0; i < 100; i++) {
    const facts = drawCase(random);
    const [note, reference] = [writeNote(facts, random), writeSummary(facts)];
    const recallOf = (text: string) => measureHallucination(text, note, { reference }).recall!;
    assertEquals(recallOf(reference), 1);
    const first = reference.split(",")[0];
    assert(recallOf(first) > 0.2 && recallOf(first) < 0.6, first);
    assertEquals(recallOf(""), 0);
  }
});
