import type { DetailKind } from "../data/details/change.ts";
import type { CorruptedDetail } from "../data/hard_negatives.ts";
import type { TableRow } from "../data/read_table.ts";
import { similarity } from "../data/similarity.ts";
import { didYouMean } from "../did_you_mean.ts";
import { UserError } from "../errors.ts";
import { formatCount } from "../format_count.ts";
import { createRandom } from "../random.ts";
import { standAloneSentences } from "./find_additions.ts";
import { type DroppedChanges, makeNegatives, type NegativeLimits } from "./make_negatives.ts";

/** Options of {@link tripletsFromTable}. */
export type TripletsFromTableOptions = NegativeLimits & {
  /** The column that holds what a text was written from. */
  promptColumn: string;
  /** The column that holds the text. */
  chosenColumn: string;
  /** What the model is asked to do; it stands before the prompt column's text. */
  instruction: string;
  /** Most triplets to make; all that can be made when absent. */
  limit?: number;
  seed?: number;
};

/** A triplet whose rejected text has one detail wrong, and which. */
export type HardTriplet =
  & { prompt: string; chosen: string; rejected: string }
  & Pick<CorruptedDetail, "kind" | "before" | "after">;

/** The triplets, what they are like, and what gave none. */
export type TableTriplets = {
  triplets: HardTriplet[];
  /** Rows that gave triplets. */
  rows: number;
  /** Rows without a text in one of the columns. */
  withoutText: number;
  /** Rows whose both texts stood in a row before. */
  repeated: number;
  /** Rows whose text has no detail that can be made wrong for certain. */
  withoutDetail: number;
  /** Changes that were tried and not kept. */
  dropped: DroppedChanges;
  /** Characters that rejected texts have more than chosen ones, as a share of all chosen ones. */
  lengthDifference: number;
  /** Mean likeness of a pair's texts: 1 - edits / characters of the longer. */
  similarity: number;
};

/**
 * Makes triplets of a table's rows: the text is chosen, the same with one detail wrong is rejected,
 * wrong by the meter's reading of what it was written from. The prompt ends in "Summary:" and a new
 * line; several triplets of one row stand in a row and share their prompt, by which `splitTriplets`
 * keeps them together. Where a text has details of several kinds, kinds that the rows before gave
 * seldom are favoured, so that the many negations of clinical notes don't crowd out what is rare, and a
 * sentence is added only while rejected texts are at most 1 % longer than chosen ones, all in all. The
 * draw is seeded, and a `limit` gives the first of the same triplets.
 *
 * @throws {UserError} When a column is missing, or no row gives a triplet.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { tripletsFromTable } from "./triplets_from_table.ts";
 * const rows = [{ talk: "Patient: My left knee hurts.", note: "Pain on the left side." }];
 * const { triplets } = tripletsFromTable(rows, {
 *   promptColumn: "talk",
 *   chosenColumn: "note",
 *   instruction: "Write the note.",
 * });
 * assert.equal(triplets[0].prompt, "Write the note.\n\nPatient: My left knee hurts.\n\nSummary:\n");
 * assert.equal(triplets[0].rejected, "Pain on the right side.");
 * ```
 */
export function tripletsFromTable(
  rows: Iterable<TableRow>,
  { promptColumn, chosenColumn, instruction, limit = Infinity, seed = 42, ...limits }:
    TripletsFromTableOptions,
): TableTriplets {
  const table = Array.from(rows), random = createRandom(seed);
  for (const column of [promptColumn, chosenColumn]) wantColumn(table, column);
  const sentences = standAloneSentences(table.map((row) => textIn(row, chosenColumn)));
  const triplets: HardTriplet[] = [], made = new Map<DetailKind, number>();
  const dropped: DroppedChanges = { length: 0, similarity: 0, baseless: 0, maybeTrue: 0 };
  const counts = { rows: 0, withoutText: 0, repeated: 0, withoutDetail: 0 };
  const seen = new Set<string>();
  let excess = 0; // characters that rejected texts have beyond MOST_EXCESS
  for (const row of table) {
    if (triplets.length >= limit) break;
    const source = textIn(row, promptColumn), chosen = textIn(row, chosenColumn);
    const key = JSON.stringify([source, chosen]);
    if (source === "" || chosen === "") counts.withoutText++;
    else if (seen.has(key)) counts.repeated++;
    else {
      const added = excess < 0 ? sentences : [];
      const found = makeNegatives(chosen, source, { random, made, sentences: added, ...limits });
      counts[found.negatives.length > 0 ? "rows" : "withoutDetail"]++;
      const prompt = `${instruction}\n\n${source}\n\nSummary:\n`;
      for (const { text: rejected, ...detail } of found.negatives) {
        made.set(detail.kind, (made.get(detail.kind) ?? 0) + 1);
        triplets.push({ prompt, chosen, rejected, ...detail });
        excess += rejected.length - (1 + MOST_EXCESS) * chosen.length;
      }
      for (const reason of DROP_REASONS) dropped[reason] += found.dropped[reason];
    }
    seen.add(key);
  }
  if (triplets.length === 0) throw noTriplets(counts, dropped, { promptColumn, chosenColumn });
  const kept = triplets.slice(0, limit);
  return { triplets: kept, ...counts, dropped, ...figuresOf(kept) };
}

/** Share by which all rejected texts may be longer than all chosen ones before none is added to. */
const MOST_EXCESS = 0.01;

const DROP_REASONS = ["length", "similarity", "baseless", "maybeTrue"] as const;

function figuresOf(triplets: HardTriplet[]): { lengthDifference: number; similarity: number } {
  let alike = 0, excess = 0, characters = 0;
  for (const { chosen, rejected } of triplets) {
    alike += similarity(chosen, rejected);
    excess += rejected.length - chosen.length;
    characters += chosen.length;
  }
  return { lengthDifference: excess / characters, similarity: alike / triplets.length };
}

function noTriplets(
  { withoutText, withoutDetail }: Pick<TableTriplets, "withoutText" | "withoutDetail">,
  dropped: DroppedChanges,
  { promptColumn, chosenColumn }: Pick<TripletsFromTableOptions, "promptColumn" | "chosenColumn">,
): UserError {
  const changes = DROP_REASONS.reduce((sum, reason) => sum + dropped[reason], 0);
  const tried = changes === 0 ? "" : ` (${formatCount(changes, "change")} tried: ` +
    `${dropped.baseless} of details that "${promptColumn}" doesn't state, ${dropped.maybeTrue} ` +
    `that may be true, ${dropped.length + dropped.similarity} too unlike the text)`;
  return new UserError(
    `Cannot make triplets: of the rows read, ${withoutText} lack a text in "${promptColumn}" or ` +
      `"${chosenColumn}" and ${withoutDetail} have no detail to change${tried}`,
  );
}

/** Columns that are named where one is missing. */
const SHOWN = 20;

function wantColumn(table: TableRow[], column: string): void {
  if (table.some((row) => Object.hasOwn(row, column))) return;
  const known = [...new Set(table.slice(0, 100).flatMap((row) => Object.keys(row)))];
  const shown = known.slice(0, SHOWN).map((name) => `"${name}"`).join(", ");
  const more = known.length > SHOWN ? ` and ${known.length - SHOWN} more` : "";
  const found = `the table has ${shown}${more}${didYouMean(column, known)}`;
  throw new UserError(`Cannot find the column "${column}": ${found}`, { field: column });
}

function textIn(row: TableRow, column: string): string {
  const value = row[column];
  return typeof value === "string" && value.isWellFormed() ? value.trim() : "";
}
