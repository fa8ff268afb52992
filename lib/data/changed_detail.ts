import { applyChange, type DetailKind } from "./details/change.ts";
import { findDetails } from "./details/find_details.ts";

/**
 * What a pair's answers differ in: one clinical detail, `several` of different kinds, `other` words, or
 * all in all (`rewritten`: more than half of the words).
 */
export type ChangedDetail = DetailKind | "several" | "other" | "rewritten";

type Span = { start: number; end: number };

/** Words that are compared one by one; a longer difference is a text of its own. */
const LONGEST_DIFFERENCE = 400;

/**
 * Tells from two answers' texts what kind of detail was changed between them.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { changedDetail } from "./changed_detail.ts";
 * assert.equal(changedDetail("Pain in the left knee.", "Pain in the right knee."), "side");
 * assert.equal(changedDetail("He has no fever.", "He has fever."), "negation");
 * assert.equal(changedDetail("Takes aspirin 81 mg.", "Takes aspirin 325 mg."), "dose");
 * assert.equal(changedDetail("He has a rash.", "He has a wound."), "other");
 * assert.equal(changedDetail("He has a rash.", "No complaints today."), "rewritten");
 * ```
 */
export function changedDetail(chosen: string, rejected: string): ChangedDetail {
  const ofChosen = findDetails(chosen, ""), ofRejected = findDetails(rejected, "");
  const exact = [[ofChosen, chosen, rejected], [ofRejected, rejected, chosen]] as const;
  for (const [details, from, to] of exact) {
    const made = details.find(({ changes }) =>
      changes.some((change) => applyChange(from, change) === to)
    );
    if (made) return made.kind;
  }
  const [inChosen, inRejected, isMost] = differences(words(chosen), words(rejected));
  if (isMost) return "rewritten";
  const kinds = new Set([
    ...touched(ofChosen, inChosen),
    ...touched(ofRejected, inRejected),
  ]);
  const [kind = "other"] = kinds;
  return kinds.size > 1 ? "several" : kind;
}

/** The kinds of details that lie where the texts differ. */
function touched(details: ReturnType<typeof findDetails>, differences: Span[]): DetailKind[] {
  return details.filter(({ changes }) =>
    changes.some(({ edits }) =>
      edits.some(({ start, end }) => differences.some((at) => start < at.end && at.start < end))
    )
  ).map(({ kind }) => kind);
}

type Word = Span & { text: string };

function words(text: string): Word[] {
  return [...text.matchAll(/[\p{L}\p{N}]+(?:\.\p{N}+)?|[^\s\p{L}\p{N}]/gu)].map(
    ({ 0: word, index }) => ({ text: word, start: index, end: index + word.length }),
  );
}

/** The words of each text that the other one lacks, and whether they are most of either. */
function differences(a: Word[], b: Word[]): [a: Span[], b: Span[], isMost: boolean] {
  let start = 0, [endA, endB] = [a.length, b.length];
  while (start < endA && start < endB && a[start].text === b[start].text) start++;
  while (endA > start && endB > start && a[endA - 1].text === b[endB - 1].text) {
    endA--;
    endB--;
  }
  const middleA = a.slice(start, endA), middleB = b.slice(start, endB);
  if (Math.max(middleA.length, middleB.length) > LONGEST_DIFFERENCE) return [[], [], true];
  const [onlyA, onlyB] = withoutCommon(middleA, middleB);
  const isMost = 2 * onlyA.length > a.length || 2 * onlyB.length > b.length;
  return [onlyA, onlyB, isMost];
}

/** What is left of two lists without their longest common subsequence. */
function withoutCommon(a: Word[], b: Word[]): [Word[], Word[]] {
  const width = b.length + 1, lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i].text === b[j].text
        ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  const onlyA: Word[] = [], onlyB: Word[] = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i].text === b[j].text) [i, j] = [i + 1, j + 1];
    else if (j === b.length || i < a.length && isNext(i, j)) onlyA.push(a[i++]);
    else onlyB.push(b[j++]);
  }
  return [onlyA, onlyB];

  function isNext(i: number, j: number): boolean {
    return lengths[(i + 1) * width + j] >= lengths[i * width + j + 1];
  }
}
