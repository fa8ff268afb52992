import { type ClinicalCase, FACT_KINDS, type FactKind } from "../data/synthetic_notes.ts";

/** A statement that the note does not bear out; `expected` is empty where no fact was asked for. */
export type WrongDetail = { kind: FactKind | "unsupported"; expected: string; found: string };

/** What a summary got right and wrong. */
export type NoteFactsResult = {
  /** Details that contradict the facts, and text that states none of them. */
  wrong: WrongDetail[];
  /** Facts stated rightly. */
  recalled: number;
  /** Facts there were to state. */
  total: number;
};

/** How a summary states facts; groups are the kinds beside the pattern. What one reads is gone for the next. */
const STATEMENTS: [RegExp, FactKind[]][] = [
  [/\b(\d+) year old (\w+)/g, ["age", "sex"]],
  [/\bwith (\w+) for (\d+) (\w+)/g, ["symptom", "duration", "unit"]],
  [/\bno (\w+(?: \w+)*)/g, ["negated"]],
  [/\b(\w+) (\w+) pain\b/g, ["side", "site"]],
  [/\ballergy to (\w+)/g, ["allergy"]],
  [/\bon (\w+) (\d+) mg(?: daily)?\b/g, ["drug", "dose"]],
];

/**
 * Compares a summary of a synthetic note with the note's known facts.
 *
 * A detail that differs from the fact of its kind is wrong, and so is every other statement: text
 * that fits none of the ways in which these summaries state a fact counts as one unsupported
 * statement for each clause. A fact that is left out is not recalled, but not wrong.
 *
 * **Source**: the facts that {@link ClinicalCase} holds; no model judges.
 * **Units**: counts.
 *
 * @param summary What a model wrote.
 * @param facts The facts that the note was written from.
 * @returns The wrong details and what was recalled; nothing is kept.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createRandom } from "../random.ts";
 * import { drawCase, writeSummary } from "../data/synthetic_notes.ts";
 * import { noteFacts } from "./note_facts.ts";
 * const facts = { ...drawCase(createRandom(1)), side: "left" };
 * assert.equal(noteFacts(writeSummary(facts), facts).recalled, 11);
 * const { wrong } = noteFacts(writeSummary({ ...facts, side: "right" }), facts);
 * assert.deepEqual(wrong, [{ kind: "side", expected: "left", found: "right" }]);
 * ```
 */
export function noteFacts(summary: string, facts: ClinicalCase): NoteFactsResult {
  const wrong: WrongDetail[] = [];
  const right = new Set<FactKind>();
  let rest = summary;
  for (const [pattern, kinds] of STATEMENTS) {
    for (const match of rest.matchAll(pattern)) {
      kinds.forEach((kind, i) => {
        const [expected, found] = [String(facts[kind]), match[i + 1]];
        if (found === expected) right.add(kind);
        else wrong.push({ kind, expected, found });
      });
    }
    rest = rest.replaceAll(pattern, "|");
  }
  for (const clause of rest.split(/[|,.\n]/).map((text) => text.trim())) {
    if (clause !== "") wrong.push({ kind: "unsupported", expected: "", found: clause });
  }
  return { wrong, recalled: right.size, total: FACT_KINDS.length };
}
