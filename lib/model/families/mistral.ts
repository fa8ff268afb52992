import type { Family } from "../family.ts";
import { count, readFields } from "../read_fields.ts";
import { llama, llamaConfig, llamaFields } from "./llama.ts";

const fields = llamaFields.extend({
  num_key_value_heads: count.nullable().default(8),
  max_position_embeddings: count.default(131_072),
  sliding_window: count.nullish(),
});

/** Mistral (arXiv 2310.06825): Llama whose layers all have a window, where the config has one. */
export const mistral: Family = {
  ...llama,
  name: "mistral",
  readConfig(json, path) {
    const read = readFields(fields, json, path), size = read.sliding_window;
    const layers = Array(read.num_hidden_layers).fill(true);
    return {
      ...llamaConfig(read, path),
      ...(size && { windows: { size, layers } }),
      family: "mistral",
      attentionBias: false,
      mlpBias: false,
    };
  },
};
