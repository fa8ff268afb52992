import { UserError } from "../errors.ts";
import { createRandom } from "../random.ts";
import type { DetailKind } from "./details/change.ts";
import { corruptDetail, type CorruptedDetail } from "./hard_negatives.ts";
import type { TableRow } from "./read_table.ts";

/** Options of {@link tripletsFromTable}. */
export type TripletsFromTableOptions = {
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

/** The triplets, and the rows that gave none. */
export type TableTriplets = {
  triplets: HardTriplet[];
  /** Rows without a text in one of the columns. */
  withoutText: number;
  /** Rows whose text has no detail that can be made wrong for certain. */
  withoutDetail: number;
};

/**
 * Makes a triplet of each row of a table: the text is chosen, the same with one detail wrong is
 * rejected. The prompt ends in "Summary:" and a new line. Where a text has details of several kinds,
 * kinds that the rows before gave seldom are favoured, so that the many negations of clinical notes
 * don't crowd out what is rare; the draw is seeded, and a `limit` gives the first of the same triplets.
 *
 * @throws {UserError} When a column is missing, or no row gives a triplet.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { tripletsFromTable } from "./triplets_from_table.ts";
 * const rows = [{ talk: "Patient: My left knee hurts.", note: "Pain in the left knee." }];
 * const { triplets } = tripletsFromTable(rows, {
 *   promptColumn: "talk",
 *   chosenColumn: "note",
 *   instruction: "Write the note.",
 * });
 * assert.equal(triplets[0].prompt, "Write the note.\n\nPatient: My left knee hurts.\n\nSummary:\n");
 * assert.equal(triplets[0].rejected, "Pain in the right knee.");
 * ```
 */
export function tripletsFromTable(
  rows: Iterable<TableRow>,
  { promptColumn, chosenColumn, instruction, limit = Infinity, seed = 42 }:
    TripletsFromTableOptions,
): TableTriplets {
  const random = createRandom(seed), kinds = new Map<DetailKind, number>();
  const made: TableTriplets = { triplets: [], withoutText: 0, withoutDetail: 0 };
  for (const row of rows) {
    if (made.triplets.length >= limit) break;
    const source = cell(row, promptColumn);
    const chosen = cell(row, chosenColumn);
    if (source === "" || chosen === "") {
      made.withoutText++;
      continue;
    }
    const wrong = corruptDetail(chosen, { random, source, made: kinds });
    if (wrong === null) {
      made.withoutDetail++;
      continue;
    }
    const { text: rejected, ...detail } = wrong;
    kinds.set(detail.kind, (kinds.get(detail.kind) ?? 0) + 1);
    const prompt = `${instruction}\n\n${source}\n\nSummary:\n`;
    made.triplets.push({ prompt, chosen, rejected, ...detail });
  }
  if (made.triplets.length > 0) return made;
  throw new UserError(
    `Cannot make triplets: of the rows read, ${made.withoutText} lack a text in ` +
      `"${promptColumn}" or "${chosenColumn}" and ${made.withoutDetail} have no detail to change`,
  );
}

function cell(row: TableRow, column: string): string {
  if (!Object.hasOwn(row, column)) {
    const known = Object.keys(row).map((name) => `"${name}"`).join(", ");
    throw new UserError(`Cannot find the column "${column}": the table has ${known}`, {
      field: column,
    });
  }
  const value = row[column];
  return typeof value === "string" && value.isWellFormed() ? value.trim() : "";
}
