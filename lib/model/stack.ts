import * as tf from "@tensorflow/tfjs";
import type { TokenBatch } from "../types.ts";
import { alignValues } from "../backend/aligned_rows.ts";
import { type AttentionContext, attentionForward } from "../layers/attention.ts";
import {
  type AttentionLayout,
  attentionLayout,
  disposeLayout,
} from "../layers/attention_layout.ts";
import { headTables, type Sight, sightOf, sightsOf } from "./attention_kinds.ts";
import type { BlockContext } from "./block.ts";
import { normOf } from "./block_norm.ts";
import { embed } from "./embedding.ts";
import { familyOf } from "./families.ts";
import type { Computing, Network } from "./network.ts";

/**
 * The masks and angles of a batch, for rows that are aligned: those behind its own are tokens that no
 * sequence has, that nobody sees, and that get no gradient.
 */
export function blockContext(
  computing: Computing,
  batch: Pick<TokenBatch, "groups" | "segments" | "positions">,
): BlockContext {
  const { config } = computing.network, positions = alignValues(batch.positions);
  const longest = batch.positions.reduce((most, position) => Math.max(most, position + 1), 0);
  const tokens = positions.length, { windows } = config;
  const contexts: Partial<Record<Sight, AttentionContext>> = {};
  let whole: AttentionLayout | undefined; // for all layers whose window doesn't cut this batch
  for (const sight of sightsOf(config)) {
    const isCut = sight === "window" && longest > windows!.size;
    const layout = isCut
      ? attentionLayout(batch, config, tokens, { ...windows!, positions: batch.positions })
      : whole ??= attentionLayout(batch, config, tokens);
    contexts[sight] = { layout, shape: config, ...headTables(config, sight, positions) };
  }
  return {
    ...computing,
    attention: contexts,
    attend: (q, k, v, layer) => attentionForward(q, k, v, contexts[sightOf(config, layer)]!),
  };
}

/** The first block's input, `[N, D]`. */
export function embedBatch(network: Network, { ids, positions }: TokenBatch): tf.Tensor2D {
  return embed(network, alignValues(ids), alignValues(positions));
}

/** The norm before the head. */
export function finalNorm(network: Network): ReturnType<typeof normOf> {
  return normOf(network, familyOf(network.config).names.norm);
}

/** Frees what {@link blockContext} made. */
export function disposeContext({ attention }: BlockContext): void {
  const contexts = Object.values(attention ?? {});
  for (const { queryTables, keyTables } of contexts) {
    tf.dispose([{ ...queryTables }, { ...keyTables }]);
  }
  for (const layout of new Set(contexts.map(({ layout }) => layout))) disposeLayout(layout);
}
