/** What a tensor of a GGUF file is called in Hugging Face's checkpoints. */
export type HfName = {
  name: string;
  /** llama.cpp interleaves the rows of these heads' two rotary halves; the metadata says how many. */
  headsKey?: "attention.head_count" | "attention.head_count_kv";
};

/** GGUF architectures whose tensors and metadata are known here. */
export const GGUF_ARCHITECTURES = ["llama"];

const topNames: Record<string, string> = {
  token_embd: "model.embed_tokens",
  output_norm: "model.norm",
  output: "lm_head",
};

const blockNames: Record<string, string> = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

/**
 * Translates a GGUF tensor name of the llama architecture: `blk.3.attn_q.weight` is
 * `model.layers.3.self_attn.q_proj.weight`.
 *
 * **Source**: llama.cpp's `gguf-py/gguf/tensor_mapping.py` and `convert_hf_to_gguf.py`.
 *
 * @returns Nothing where a Llama has no such tensor.
 */
export function hfName(ggufName: string): HfName | undefined {
  const [, layer, part, kind] = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(ggufName) ?? [];
  const names = layer === undefined ? topNames : blockNames;
  if (part === undefined || !Object.hasOwn(names, part)) return undefined;
  const name = `${layer === undefined ? "" : `model.layers.${layer}.`}${names[part]}.${kind}`;
  if (part === "attn_q") return { name, headsKey: "attention.head_count" };
  if (part === "attn_k") return { name, headsKey: "attention.head_count_kv" };
  return { name };
}
