import * as tf from "@tensorflow/tfjs";
import type { CacheMasks, KeyValueCache } from "../layers/cached_attention.ts";
import type { ModelConfig } from "./model_config.ts";

const HIDDEN = -1e9;

/**
 * What a layer with a window hides from new tokens at `positions`: cached tokens that lie too far back,
 * and padding. Nothing is returned where the window reaches all.
 */
export function windowMasks(
  { caches: [{ past, recent }], prompts: { lengths, slots } }: {
    caches: KeyValueCache[];
    prompts: { lengths: number[]; slots: number };
  },
  positions: Int32Array,
  { keyValueHeads, windows }: ModelConfig,
): CacheMasks | undefined {
  const { size } = windows!, pastCount = past.k.shape[1];
  if (positions.every((position) => position < size)) return undefined;
  /** Tokens from slot `first` on: a prompt, its padding up to `slots`, then what was generated. */
  const mask = (first: number, count: number) => {
    const values = new Float32Array(lengths.length * keyValueHeads * count);
    lengths.forEach((length, item) => {
      const own = values.subarray(item * keyValueHeads * count, (item + 1) * keyValueHeads * count);
      for (let i = 0; i < count; i++) {
        const slot = first + i, isPadding = slot >= length && slot < slots;
        const position = slot < length ? slot : length + slot - slots;
        if (!isPadding && positions[item] - position < size) continue;
        for (let head = 0; head < keyValueHeads; head++) own[head * count + i] = HIDDEN;
      }
    });
    return tf.tensor3d(values, [lengths.length * keyValueHeads, 1, count]);
  };
  const recentCount = (recent?.k.shape[1] ?? 0) + 1; // and the new token itself
  return { past: mask(0, pastCount), recent: mask(pastCount, recentCount) };
}
