/** What a tensor is called in the other kind of checkpoint. */
export type TensorName = {
  name: string;
  /** llama.cpp interleaves the rows of these heads' two rotary halves; the metadata says how many. */
  headsKey?: HeadsKey;
};

type HeadsKey = "attention.head_count" | "attention.head_count_kv";

/** How a GGUF architecture names what Hugging Face's checkpoints hold: the parts before .weight. */
type Architecture = {
  /** Families (`model_type` of config.json) that are written in this architecture. */
  families: string[];
  top: Record<string, string>;
  /** Parts of `blk.N.`, which is `model.layers.N.` */
  block: Record<string, string>;
  /** Parts whose rows llama.cpp interleaves, with the key of their number of heads. */
  interleaved: Record<string, HeadsKey>;
};

/**
 * GGUF architectures whose tensors are known here; `ggufConfig` and `ggufMetadata` know their keys.
 *
 * **Source**: llama.cpp's `gguf-py/gguf/tensor_mapping.py` and `convert_hf_to_gguf.py`.
 */
export const GGUF_ARCHITECTURES: Record<string, Architecture> = {
  llama: {
    families: ["llama"],
    top: {
      token_embd: "model.embed_tokens",
      output_norm: "model.norm",
      output: "lm_head",
    },
    block: {
      attn_norm: "input_layernorm",
      attn_q: "self_attn.q_proj",
      attn_k: "self_attn.k_proj",
      attn_v: "self_attn.v_proj",
      attn_output: "self_attn.o_proj",
      ffn_norm: "post_attention_layernorm",
      ffn_gate: "mlp.gate_proj",
      ffn_up: "mlp.up_proj",
      ffn_down: "mlp.down_proj",
    },
    interleaved: { attn_q: "attention.head_count", attn_k: "attention.head_count_kv" },
  },
};

/**
 * Translates a GGUF tensor name: of a llama `blk.3.attn_q.weight` is
 * `model.layers.3.self_attn.q_proj.weight`.
 *
 * @returns Nothing where the architecture has no such tensor.
 */
export function hfName(ggufName: string, architecture: string): TensorName | undefined {
  const { top, block, interleaved } = GGUF_ARCHITECTURES[architecture];
  const [, layer, part, kind] = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(ggufName) ?? [];
  const names = layer === undefined ? top : block;
  if (part === undefined || !Object.hasOwn(names, part)) return undefined;
  const name = `${layer === undefined ? "" : `model.layers.${layer}.`}${names[part]}.${kind}`;
  return { name, headsKey: interleaved[part] };
}

/**
 * The way back from {@link hfName}.
 *
 * @returns Nothing where the architecture has no such tensor.
 */
export function ggufName(hfName: string, architecture: string): TensorName | undefined {
  const { top, block, interleaved } = GGUF_ARCHITECTURES[architecture];
  const [, layer, module, kind] =
    /^(?:model\.layers\.(\d+)\.)?([\w.]+)\.(weight|bias)$/.exec(hfName) ?? [];
  const names = Object.entries(layer === undefined ? top : block);
  const part = names.find(([, own]) => own === module)?.[0];
  if (part === undefined) return undefined;
  const prefix = layer === undefined ? "" : `blk.${layer}.`;
  return { name: `${prefix}${part}.${kind}`, headsKey: interleaved[part] };
}
