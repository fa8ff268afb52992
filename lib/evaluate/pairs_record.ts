import { z } from "zod";
import { changedDetail } from "../data/changed_detail.ts";
import type { TestTriplet } from "../data/triplet_schema.ts";
import { readJsonFile } from "../io/read_json.ts";
import { tokenTexts } from "../tokenizer/token_texts.ts";
import type { Models } from "../train/build_models.ts";
import type { EncodedPair } from "../types.ts";
import { type PairTokens, tokenRatios, type TokenRatiosOptions } from "./token_ratios.ts";
import { textOf } from "./write_texts.ts";

/** An answer's tokens: their texts, and both models' log-probabilities in nats. */
export type RecordedTokens = { texts: string[]; policy: number[]; reference: number[] };

/** A pair as both models find it. */
export type PairRecord = {
  /** Its place among the pairs that were read, counted from 1. */
  row: number;
  /** The kind of detail that was changed between the answers. */
  kind: string;
  /** Texts; what is very long is cut, which an ellipsis tells. */
  prompt: string;
  chosen: string;
  rejected: string;
  /** Summed over an answer's tokens, in nats. */
  policy_chosen: number;
  policy_rejected: number;
  reference_chosen: number;
  reference_rejected: number;
  tokens_chosen: number;
  tokens_rejected: number;
  /** Token by token, of the pairs of most interest; `shared` tokens stand at both answers' beginning. */
  tokens: { shared: number; chosen: RecordedTokens; rejected: RecordedTokens } | null;
};

/** What `pairs.json` holds: held-out pairs as policy and reference find them. */
export type PairsRecord = { beta: number; total: number; pairs: PairRecord[] };

/** Options of {@link pairsRecord}. */
export type PairsRecordOptions = TokenRatiosOptions & {
  beta: number;
  /** Reads so many pairs, spread evenly over all; 100 unless given. */
  most?: number;
  /** Keeps so many pairs token by token: the worst, the best, and some between; 24 unless given. */
  detailed?: number;
};

const LONGEST_TEXT = 2000;

/**
 * Reads pairs with policy and reference, and keeps what a person looks at: each pair's sums, and
 * token by token a third of the `detailed` pairs with the worst margins, a third with the best, the
 * rest spread evenly between. What is kept is bounded, however many pairs there are.
 *
 * **Units**: nats.
 * **Memory**: no tensor is left behind.
 *
 * @param triplets What was encoded; a row's `index` says which of them it is.
 * @param rows Pairs from `encodePairs`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { encodePairs } from "../tokenizer/encode_all.ts";
 * import { buildModels } from "../train/build_models.ts";
 * import { pairsRecord } from "./pairs_record.ts";
 * const triplets = (await loadTriplets("phase2_data/dpo/val_dpo.jsonl")).slice(0, 4);
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const { rows } = encodePairs(models.tokenizer, triplets);
 * const { pairs } = await pairsRecord(models, { triplets, rows }, { beta: 0.1, detailed: 2 });
 * assert.equal(pairs.filter(({ tokens }) => tokens).length, 2);
 * assert.equal(pairs[0].policy_chosen, pairs[0].reference_chosen); // nothing is trained yet
 * ```
 */
export async function pairsRecord(
  models: Models,
  { triplets, rows }: { triplets: readonly TestTriplet[]; rows: readonly EncodedPair[] },
  { beta, most = 100, detailed = 24, ...options }: PairsRecordOptions,
): Promise<PairsRecord> {
  const picked = spread(rows, most), found = await tokenRatios(models, picked, options);
  const margins = found.map(({ chosen, rejected }) => ratio(chosen) - ratio(rejected));
  const interesting = ofInterest(margins, detailed);
  const pairs = picked.map((row, i) => {
    const { prompt, chosen, rejected, kind } = triplets[row.index];
    const texts = { chosen: textOf(chosen), rejected: textOf(rejected) };
    return {
      row: row.index + 1,
      kind: kind ?? changedDetail(texts.chosen, texts.rejected),
      prompt: clip(textOf(prompt)),
      chosen: clip(texts.chosen),
      rejected: clip(texts.rejected),
      policy_chosen: rounded(sum(found[i].chosen.policy)),
      policy_rejected: rounded(sum(found[i].rejected.policy)),
      reference_chosen: rounded(sum(found[i].chosen.reference)),
      reference_rejected: rounded(sum(found[i].rejected.reference)),
      tokens_chosen: row.chosen.length,
      tokens_rejected: row.rejected.length,
      tokens: interesting.has(i) ? tokensOf(models, row, found[i]) : null,
    };
  });
  return { beta, total: rows.length, pairs };
}

/** The places of the lowest numbers, the highest, and some spread evenly between, a third each. */
function ofInterest(margins: number[], count: number): Set<number> {
  const order = margins.map((_, i) => i).sort((a, b) => margins[a] - margins[b]);
  if (order.length <= count) return new Set(order);
  const third = Math.floor(count / 3), middle = order.slice(third, order.length - third);
  return new Set([
    ...order.slice(0, third),
    ...spread(middle, count - 2 * third),
    ...order.slice(order.length - third),
  ]);
}

/** At most `count` of some items, evenly from the first to the last. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  const step = items.length / count;
  return Array.from({ length: count }, (_, i) => items[Math.floor((i + 0.5) * step)]);
}

function tokensOf({ tokenizer }: Models, row: EncodedPair, { shared, ...found }: PairTokens) {
  const answer = (side: "chosen" | "rejected") => ({
    texts: tokenTexts(tokenizer, row[side]),
    policy: found[side].policy.map(rounded),
    reference: found[side].reference.map(rounded),
  });
  return { shared, chosen: answer("chosen"), rejected: answer("rejected") };
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
const ratio = ({ policy, reference }: PairTokens["chosen"]) => sum(policy) - sum(reference);
const rounded = (value: number) => Number(value.toFixed(4));
const clip = (text: string) =>
  text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT).toWellFormed()} …`;

const number = z.number("must be a number"), text = z.string("must be a text");
const numbers = z.array(number, "must list numbers");
const tokens = z.object({
  texts: z.array(text, "must list texts"),
  policy: numbers,
  reference: numbers,
}, "must hold an answer's tokens");

/** The shape of `pairs.json`. */
export const pairsSchema: z.ZodType<PairsRecord> = z.looseObject({
  beta: number,
  total: number,
  pairs: z.array(
    z.looseObject({
      row: number,
      kind: text,
      prompt: text,
      chosen: text,
      rejected: text,
      policy_chosen: number,
      policy_rejected: number,
      reference_chosen: number,
      reference_rejected: number,
      tokens_chosen: number,
      tokens_rejected: number,
      tokens: z.object({ shared: number, chosen: tokens, rejected: tokens }).nullable(),
    }, "must hold a pair"),
    "must list the pairs",
  ),
});

/**
 * Reads a `pairs.json`.
 *
 * @throws {UserError} when it can't be read, or lacks what {@link pairsSchema} wants.
 */
export async function readPairs(path: string): Promise<PairsRecord> {
  return await readJsonFile(path, pairsSchema);
}
