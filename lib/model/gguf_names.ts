import { familyOf } from "./families.ts";
import type { LinearPart, NormPart } from "./family.ts";
import type { FamilyName } from "./model_config.ts";

/** How a tensor's numbers are laid out otherwise in GGUF than in Hugging Face's checkpoints. */
export type TensorChange =
  /** The rows of these heads' two rotary halves in turns; the metadata says how many heads. */
  | { kind: "interleaved"; headsKey: "attention.head_count" | "attention.head_count_kv" }
  /** `[out, in]` of what is `[in, out]` there. */
  | { kind: "transposed" }
  /** One more than there: what a norm multiplies by. */
  | { kind: "plus_one" };

/** What a tensor is called in the other kind of checkpoint, and what else is different there. */
export type TensorName = { name: string; change?: TensorChange };

type Architecture = {
  /** Families that are written in this architecture; what is read is of the first. */
  families: [FamilyName, ...FamilyName[]];
  /** Whether the rows of queries and keys are interleaved. */
  interleaves: boolean;
};

/**
 * GGUF architectures that are known here; `ggufConfig` and `ggufMetadata` know their keys. Names and
 * layouts follow from the families' descriptions.
 *
 * **Source**: llama.cpp's `gguf-py/gguf/tensor_mapping.py` and its scripts that convert models.
 */
export const GGUF_ARCHITECTURES: Record<string, Architecture> = {
  llama: { families: ["llama", "mistral"], interleaves: true },
  qwen2: { families: ["qwen2"], interleaves: false },
  qwen3: { families: ["qwen3"], interleaves: false },
  gemma3: { families: ["gemma3_text", "gemma3"], interleaves: false },
  gpt2: { families: ["gpt2"], interleaves: false },
};

/** The architecture that a family is written in; nothing where none is known here. */
export function ggufArchitecture(family: FamilyName): string | undefined {
  return Object.keys(GGUF_ARCHITECTURES).find((name) =>
    GGUF_ARCHITECTURES[name].families.includes(family)
  );
}

const LINEARS: Record<LinearPart, string> = {
  q: "attn_q",
  k: "attn_k",
  v: "attn_v",
  qkv: "attn_qkv",
  o: "attn_output",
  gate: "ffn_gate",
  up: "ffn_up",
  down: "ffn_down",
};

const NORMS: Record<NormPart, string> = {
  attention: "attn_norm",
  attentionOutput: "post_attention_norm",
  mlp: "ffn_norm",
  mlpOutput: "post_ffw_norm",
  q: "attn_q_norm",
  k: "attn_k_norm",
};

/**
 * Translates a GGUF tensor name into that of the architecture's first family: of a llama
 * `blk.3.attn_q.weight` is `model.layers.3.self_attn.q_proj.weight`.
 *
 * @returns Nothing where the architecture has no such tensor.
 */
export function hfName(ggufName: string, architecture: string): TensorName | undefined {
  const [family] = GGUF_ARCHITECTURES[architecture].families;
  const { top, block } = modulesOf(family), { names } = familyOf({ family });
  const [, layer, part, kind] = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(ggufName) ?? [];
  const module = (layer === undefined ? top : block).get(part);
  if (module === undefined) return undefined;
  const prefix = layer === undefined ? "" : `${names.block}.${layer}.`;
  return withChange(`${prefix}${module}.${kind}`, { family, part, kind });
}

/**
 * The way back from {@link hfName}, of any family.
 *
 * @returns Nothing where the family has no such tensor.
 */
export function ggufName(hfName: string, family: FamilyName): TensorName | undefined {
  const { top, block } = modulesOf(family), { names } = familyOf({ family });
  const [, module, kind] = /^(.+)\.(weight|bias)$/.exec(hfName) ?? [];
  if (module === undefined) return undefined;
  const inBlock = module.startsWith(`${names.block}.`)
    ? /^(\d+)\.(.+)$/.exec(module.slice(names.block.length + 1))
    : null;
  const [, layer, own = module] = inBlock ?? [];
  const part = [...(inBlock ? block : top)].find(([, name]) => name === own)?.[0];
  if (part === undefined) return undefined;
  const prefix = layer === undefined ? "" : `blk.${layer}.`;
  return withChange(`${prefix}${part}.${kind}`, { family, part, kind });
}

/** A family's modules by their parts' names in GGUF: those outside of blocks, and those of a block. */
function modulesOf(family: FamilyName): Record<"top" | "block", Map<string, string>> {
  const { names, linears, norms } = familyOf({ family });
  const named = (parts: Record<string, string>, own: Record<string, string | undefined>) =>
    Object.entries(own).flatMap(([part, module]): [string, string][] =>
      module === undefined ? [] : [[parts[part], module]]
    );
  const { embedding, positions, norm, head } = names;
  return {
    top: new Map([
      ["token_embd", embedding],
      ...(positions === undefined ? [] : [["position_embd", positions] as const]),
      ["output_norm", norm],
      ["output", head],
    ]),
    block: new Map([...named(LINEARS, linears), ...named(NORMS, norms)]),
  };
}

function withChange(
  name: string,
  { family, part, kind }: { family: FamilyName; part: string; kind: string },
): TensorName {
  const { normKind, isTransposed } = familyOf({ family });
  const { interleaves } = GGUF_ARCHITECTURES[ggufArchitecture(family)!];
  if (interleaves && part === LINEARS.q) return turned(name, "attention.head_count");
  if (interleaves && part === LINEARS.k) return turned(name, "attention.head_count_kv");
  const isLinear = Object.values(LINEARS).includes(part);
  if (isTransposed && isLinear && kind === "weight") {
    return { name, change: { kind: "transposed" } };
  }
  const isNorm = part.endsWith("_norm");
  if (normKind === "rms_plus_one" && isNorm) return { name, change: { kind: "plus_one" } };
  return { name };
}

const turned = (name: string, headsKey: "attention.head_count" | "attention.head_count_kv") =>
  ({ name, change: { kind: "interleaved", headsKey } }) as const;
