import * as tf from "@tensorflow/tfjs";
import { alignValues } from "../backend/aligned_rows.ts";
import { weightProduct } from "../backend/half_matrix.ts";
import { cachedAttention, type KeyValueCache, mergeCache } from "../layers/cached_attention.ts";
import { ropeForward } from "../layers/rope.ts";
import { createRandom, type Random } from "../random.ts";
import { nextTurn } from "../next_turn.ts";
import { packPrompts } from "../tokenizer/token_batch.ts";
import type { TokenBatch } from "../types.ts";
import { headTables, sightOf, sightsOf } from "./attention_kinds.ts";
import { type BlockContext, blockForward } from "./block.ts";
import { embed, headName } from "./embedding.ts";
import { type Adapters, type Network, weightOf } from "./network.ts";
import { sampleToken } from "./sample_token.ts";
import { blockContext, disposeContext, finalNorm } from "./stack.ts";
import { windowMasks } from "./window_masks.ts";

/** Options of {@link generateTokens}. */
export type GenerateTokensOptions = {
  maxNewTokens: number;
  /** Tokens that end a text. */
  stopIds: number[];
  /** 0 takes the likeliest token each time; above 0 draws. */
  temperature?: number;
  topP?: number;
  seed?: number;
  signal?: AbortSignal;
};

/** New tokens, without the one that stopped them, and whether one did. */
export type GeneratedTokens = { tokens: number[]; stopped: boolean };

/** Recent keys are moved to the past once in so many steps. */
const MERGE_EVERY = 32;

/**
 * Continues each prompt, all in one batch, with keys and values cached. A prompt's draws depend on
 * `seed` and on its index alone.
 */
export async function generateTokens(
  network: Network,
  adapters: Adapters | null,
  prompts: { ids: number[]; index: number }[],
  options: GenerateTokensOptions,
): Promise<GeneratedTokens[]> {
  const { maxNewTokens, stopIds, seed = 42, signal } = options;
  const randoms = prompts.map(({ index }) => createRandom(seed + 0x9e3779b9 * (index + 1)));
  const results = prompts.map((): GeneratedTokens => ({ tokens: [], stopped: false }));
  const lengths = prompts.map(({ ids }) => ids.length);
  const state = prefill(network, adapters, prompts.map(({ ids }) => ids));
  try {
    for (let step = 0;; step++) {
      const tokens = await chooseTokens(state.logits, randoms, options);
      results.forEach((result, i) => {
        if (result.stopped || result.tokens.length === maxNewTokens) return;
        if (stopIds.includes(tokens[i])) result.stopped = true;
        else result.tokens.push(tokens[i]);
      });
      if (step + 1 >= maxNewTokens || results.every((result) => result.stopped)) return results;
      await nextTurn();
      signal?.throwIfAborted();
      const positions = Int32Array.from(lengths, (length) => length + step);
      advance(network, adapters, state, Int32Array.from(tokens), positions);
    }
  } finally {
    tf.dispose([state.logits, state.mask]);
    state.caches.forEach(disposeCache);
  }
}

type DecodeState = {
  logits: tf.Tensor2D;
  caches: KeyValueCache[];
  mask: tf.Tensor3D;
  /** Tokens of each prompt, and those of the longest with its padding. */
  prompts: { lengths: number[]; slots: number };
};

function prefill(network: Network, adapters: Adapters | null, prompts: number[][]): DecodeState {
  const batch = packPrompts(prompts),
    context = blockContext({ network, adapters, exact: true }, batch);
  try {
    return tf.tidy(() => {
      const caches: KeyValueCache[] = [];
      let x = embed(network, alignValues(batch.ids), alignValues(batch.positions));
      for (let layer = 0; layer < network.config.layers; layer++) {
        const { y, k, v } = tf.tidy(() => {
          const { y, saved } = blockForward(x, layer, context);
          return { y, k: saved.attention[0].k, v: saved.attention[0].v };
        });
        caches.push({ past: { k, v } });
        x.dispose();
        x = y;
      }
      const logits = nextLogits(network, tf.gather(x, tf.tensor1d(batch.rows, "int32")));
      const [{ lengths }] = batch.groups, [, slots] = caches[0].past.k.shape;
      const mask = paddingMask(batch, caches[0].past.k.shape);
      return { logits, caches, mask, prompts: { lengths, slots } };
    });
  } finally {
    disposeContext(context);
  }
}

/** Hides the cached padding behind each prompt, `[B * KV, 1, T]`. */
function paddingMask(
  { groups: [{ lengths }] }: TokenBatch,
  [size, longest]: [size: number, longest: number, headDim: number],
): tf.Tensor3D {
  const keyValueHeads = size / lengths.length;
  const mask = new Float32Array(size * longest);
  for (let row = 0; row < size; row++) {
    const length = lengths[Math.floor(row / keyValueHeads)];
    mask.fill(-1e9, row * longest + length, (row + 1) * longest);
  }
  return tf.tensor3d(mask, [size, 1, longest]);
}

/** Feeds one token a sequence; `state` gets new logits and longer caches. */
function advance(
  network: Network,
  adapters: Adapters | null,
  state: DecodeState,
  tokens: Int32Array,
  positions: Int32Array,
): void {
  const { config } = network, { headDim, layers } = config;
  const next = tf.tidy(() => {
    const seen = new Map(
      sightsOf(config).map((sight) => [sight, {
        ...headTables(config, sight, positions),
        masks: sight === "window" && windowMasks(state, positions, config) || { past: state.mask },
      }]),
    );
    const split = (x: tf.Tensor2D) =>
      tf.reshape<tf.Rank.R3>(x, [x.shape[0], x.shape[1] / headDim, headDim]);
    const recents: { k: tf.Tensor3D; v: tf.Tensor3D }[] = [];
    let x = embed(network, tokens, positions);
    for (let layer = 0; layer < layers; layer++) {
      const attend: BlockContext["attend"] = (q, k, v) => {
        const { queryTables, keyTables, masks } = seen.get(sightOf(config, layer))!;
        const [turned, own] = [
          ropeForward(split(q), queryTables),
          ropeForward(split(k), keyTables),
        ];
        const added = { k: own, v: split(v) };
        const { y, recent } = cachedAttention(turned, added, state.caches[layer], masks);
        recents.push({ k: tf.keep(recent.k), v: tf.keep(recent.v) }); // a block frees its own
        return { y, saved: [] };
      };
      const context = { network, adapters, exact: true, attend, attention: null };
      x = blockForward(x, layer, context).y;
    }
    return { logits: nextLogits(network, x), recents };
  });
  state.logits.dispose();
  state.logits = next.logits;
  state.caches.forEach((cache, layer) => {
    if (cache.recent) tf.dispose([cache.recent.k, cache.recent.v]);
    cache.recent = next.recents[layer];
  });
  if (state.caches[0].recent!.k.shape[1] >= MERGE_EVERY) mergeState(state);
}

function mergeState(state: DecodeState): void {
  const added = state.caches[0].recent!.k.shape[1];
  const mask = tf.pad(state.mask, [[0, 0], [0, 0], [0, added]]);
  state.mask.dispose();
  state.mask = mask;
  state.caches = state.caches.map((cache) => {
    const merged = mergeCache(cache);
    disposeCache(cache);
    return merged;
  });
}

function disposeCache({ past, recent }: KeyValueCache): void {
  tf.dispose([past.k, past.v]);
  if (recent) tf.dispose([recent.k, recent.v]);
}

function nextLogits(network: Network, rows: tf.Tensor2D): tf.Tensor2D {
  const { y: hidden } = finalNorm(network).forward(rows);
  const weight = weightOf<tf.Tensor2D>(network, headName(network));
  return weightProduct(hidden, weight, { transpose: true, exact: true });
}

async function chooseTokens(
  logits: tf.Tensor2D,
  randoms: Random[],
  { temperature = 0, topP }: GenerateTokensOptions,
): Promise<number[]> {
  if (temperature === 0) {
    const best = tf.argMax(logits, -1), tokens = await best.data();
    best.dispose();
    return [...tokens];
  }
  const numbers = await logits.data<"float32">(), width = logits.shape[1];
  return randoms.map((random, i) =>
    sampleToken(numbers.subarray(i * width, (i + 1) * width), random, { temperature, topP })
  );
}
