import type { Family } from "../family.ts";
import { count, readFields } from "../read_fields.ts";
import { llama, llamaConfig } from "./llama.ts";
import { qwenFields, qwenWindows } from "./qwen2.ts";

const fields = qwenFields.extend({ head_dim: count.default(128) });

/** Qwen 3 (arXiv 2505.09388): a norm of each query's and key's head, before it is turned. */
export const qwen3: Family = {
  ...llama,
  name: "qwen3",
  readConfig(json, path) {
    const read = readFields(fields, json, path);
    return {
      ...llamaConfig(read, path),
      ...qwenWindows(read, path),
      family: "qwen3",
      mlpBias: false,
    };
  },
  norms: { ...llama.norms, q: "self_attn.q_norm", k: "self_attn.k_norm" },
};
