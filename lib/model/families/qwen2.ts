import { z } from "zod";
import type { Family } from "../family.ts";
import type { AttentionWindows } from "../model_config.ts";
import { count, readFields } from "../read_fields.ts";
import { windowedLayers } from "../windowed_layers.ts";
import { llama, llamaConfig, llamaFields } from "./llama.ts";

/** What Qwen's configs say beside Llama's. */
export const qwenFields = llamaFields.extend({
  num_key_value_heads: count.nullable().default(32),
  max_position_embeddings: count.default(32_768),
  use_sliding_window: z.boolean().default(false),
  sliding_window: count.nullish(),
  max_window_layers: z.number().int().default(28),
  layer_types: z.array(z.enum(["full_attention", "sliding_attention"])).nullish(),
});

/** Windows from layer `max_window_layers` on, or where `layer_types` says so. */
export function qwenWindows(
  c: z.infer<typeof qwenFields>,
  path: string,
): { windows?: AttentionWindows } {
  const layers = windowedLayers(c, path, (layer) => layer >= c.max_window_layers);
  if (!c.use_sliding_window || !c.sliding_window) return {};
  return layers.includes(true) ? { windows: { size: c.sliding_window, layers } } : {};
}

/** Qwen 2 and 2.5 (arXiv 2407.10671): biases of queries, keys and values. */
export const qwen2: Family = {
  ...llama,
  name: "qwen2",
  readConfig(json, path) {
    const fields = readFields(qwenFields, json, path);
    return {
      ...llamaConfig(fields, path),
      ...qwenWindows(fields, path),
      family: "qwen2",
      attentionBias: true,
      mlpBias: false,
    };
  },
  unbiased: ["o"],
};
