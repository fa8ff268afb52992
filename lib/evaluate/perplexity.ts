import { tokenLogProbs } from "../model/token_log_probs.ts";
import { nextTurn } from "../next_turn.ts";
import { packExamples } from "../tokenizer/token_batch.ts";
import type { Models } from "../train/build_models.ts";
import { sumResponses } from "../train/pair_sums.ts";
import type { EncodedExample } from "../types.ts";
import { quantile } from "./bootstrap.ts";

/** The share of ordinary texts that are taken for less likely than ordinary ones. */
const UNUSUAL = 0.01;

/**
 * How surprised the reference (Stage A) is by each text, in nats a token, its end token included.
 * Perplexity is e to the power of it.
 *
 * **Memory**: no tensor is left behind.
 */
export async function surprise(
  models: Pick<Models, "network">,
  texts: readonly EncodedExample[],
  { batchSize = 16, signal }: { batchSize?: number; signal?: AbortSignal } = {},
): Promise<number[]> {
  const means: number[] = new Array(texts.length);
  const length = (i: number) => texts[i].prompt.length + texts[i].completion.length;
  const order = [...texts.keys()].sort((a, b) => length(a) - length(b));
  for (let start = 0; start < order.length; start += batchSize) {
    await nextTurn();
    signal?.throwIfAborted();
    const rows = order.slice(start, start + batchSize);
    const batch = packExamples(rows.map((row) => texts[row]));
    const logProbs = await tokenLogProbs(models.network, null, batch, { exact: true });
    const { chosen: sums } = sumResponses(batch, logProbs);
    rows.forEach((row, i) => means[row] = -sums[i] / texts[row].completion.length);
  }
  return means;
}

/**
 * The surprise above which a text counts as gibberish: 99 of 100 texts that Stage A writes itself lie
 * below, and 99 of 100 chosen answers, whichever is higher. There is no lower bound, for a better
 * model may well write what Stage A finds likelier; a text that goes in circles shows as repetition.
 */
export function gibberishBound(own: readonly number[], chosen: readonly number[]): number {
  const bounds = [own, chosen].filter(({ length }) => length > 0)
    .map((values) => quantile(values.toSorted((a, b) => a - b), 1 - UNUSUAL));
  return Math.max(...bounds);
}
