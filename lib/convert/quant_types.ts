import { ggmlType } from "../io/gguf_types.ts";
import type { ModelConfig } from "../model/model_config.ts";

/** What a model can be quantised to: llama.cpp's names of its mixtures. */
export const quantTypes = ["f16", "bf16", "q8_0", "q6_k", "q4_k_m", "q4_0"] as const;
/** One of {@link quantTypes}. */
export type QuantType = typeof quantTypes[number];

type Mixture = {
  /** What a matrix is stored as, where nothing else is said. */
  format: string;
  /** `general.file_type`. */
  id: number;
};

/** The mixtures, by name. */
export const mixtures: Record<QuantType, Mixture> = {
  f16: { format: "F16", id: 1 },
  bf16: { format: "BF16", id: 32 },
  q8_0: { format: "Q8_0", id: 7 },
  q6_k: { format: "Q6_K", id: 18 },
  q4_k_m: { format: "Q4_K", id: 15 },
  q4_0: { format: "Q4_0", id: 2 },
};

/** What stands in for a format whose blocks are longer than a row can be cut into. */
const fallbacks: Record<string, string> = { Q4_K: "Q5_0", Q6_K: "Q8_0" };

/** How a tensor is stored; `wanted` where that format's blocks don't fit its rows. */
export type TensorFormat = { format: string; wanted?: string };

export type TensorFormatOptions = {
  type: QuantType;
  /** Every matrix in the mixture's own format: smaller, and less accurate. */
  pure: boolean;
  /** Whether the embedding is the head too. */
  tied: boolean;
  /** Blocks of the model. */
  layers: number;
};

/**
 * Chooses how a tensor is stored, as llama.cpp does: vectors, norms and positions as F32, the head with
 * more bits, in `q4_k_m` also the values and the down projections of some blocks; a format whose blocks
 * don't fit the rows gives way to one of smaller blocks, at last to F16.
 *
 * **Source**: `llama_tensor_get_type` and its fallback in llama.cpp's `llama-quant.cpp`, without
 * importance matrix; its rules for experts and for the 70B model are not needed here, and queries, keys
 * and values in one matrix get Q6_K where it takes Q5_K, which isn't written here.
 *
 * @param name The tensor's name in GGUF.
 */
export function tensorFormat(
  name: string,
  shape: number[],
  { type, pure, tied, layers }: TensorFormatOptions,
): TensorFormat {
  const { format } = mixtures[type], columns = shape.at(-1) ?? 1;
  if (shape.length < 2 || /(_norm|position_embd)\.weight$/.test(name)) return { format: "F32" };
  const fits = (wanted: string) => columns % ggmlType(wanted).elements === 0;
  const isHead = name === "output.weight" || (tied && name === "token_embd.weight");
  const [, layer, part] = /^blk\.(\d+)\.(\w+)\./.exec(name) ?? [];
  const mixed = () => {
    if (pure || format === "F16" || format === "BF16") return format;
    if (isHead) return format === "Q8_0" || !fits(format) ? "Q8_0" : "Q6_K";
    if (type !== "q4_k_m") return format;
    const isSensitive = part === "attn_v" || part === "ffn_down";
    return part === "attn_qkv" || (isSensitive && needsMore(Number(layer), layers))
      ? "Q6_K"
      : format;
  };
  const wanted = mixed();
  if (fits(wanted)) {
    // A head with Q8_0 although less was asked for: only because Q6_K's blocks don't fit.
    const isSpare = wanted === "Q8_0" && format !== "Q8_0";
    return { format: wanted, ...(isSpare && { wanted: "Q6_K" }) };
  }
  const smaller = fallbacks[wanted];
  return { format: smaller && fits(smaller) ? smaller : "F16", wanted };
}

/**
 * The type that a number of bits stands for: 8 is `q8_0`, 4 is `q4_k_m` where the rows of the blocks'
 * matrices divide into its blocks of 256, else `q4_0`.
 */
export function quantTypeOfBits(
  bits: 8 | 4,
  { hiddenSize, feedForwardSize, heads, headDim }: ModelConfig,
): QuantType {
  if (bits === 8) return "q8_0";
  const rows = [hiddenSize, feedForwardSize, heads * headDim];
  return rows.every((length) => length % 256 === 0) ? "q4_k_m" : "q4_0";
}

/** The first and the last eighth of the blocks, and every third between. */
function needsMore(layer: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8), last = Math.floor(7 * layers / 8);
  return layer < eighth || layer >= last || (layer - eighth) % 3 === 2;
}
