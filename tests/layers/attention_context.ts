import type { AttentionContext } from "../../lib/layers/attention.ts";
import {
  attentionLayout,
  type AttentionShape,
  type AttentionWindow,
} from "../../lib/layers/attention_layout.ts";
import { ropeTables } from "../../lib/layers/rope.ts";
import { ropeFrequencies } from "../../lib/layers/rope_frequencies.ts";
import type { TokenBatch } from "../../lib/types.ts";

/** The context of a batch in `tokens` rows; without `positions` nothing is turned, without `window` all seen. */
export function contextOf(
  batch: Pick<TokenBatch, "groups" | "segments">,
  shape: AttentionShape,
  { tokens = batch.segments.length, positions = new Int32Array(tokens), window }: {
    tokens?: number;
    positions?: Int32Array;
    window?: AttentionWindow;
  } = {},
): AttentionContext {
  const layout = attentionLayout(batch, shape, tokens, window), { headDim } = shape;
  const tables = () => ropeTables(positions, { frequencies: ropeFrequencies(headDim, 1e4) });
  return { layout, shape, queryTables: tables(), keyTables: tables() };
}
