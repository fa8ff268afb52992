import { z } from "zod";
import { UserError } from "../errors.ts";
import { checkShape, GPT2_WORDS, splitBy } from "./tokenizer_schema.ts";

/** What a GGUF file says about its tokenizer. */
const metadataSchema = z.looseObject({
  "tokenizer.ggml.model": z.string(),
  "tokenizer.ggml.pre": z.string().optional(),
  "tokenizer.ggml.tokens": z.array(z.string()).nonempty(),
  "tokenizer.ggml.token_type": z.array(z.int()).optional(),
  "tokenizer.ggml.merges": z.array(z.string()).optional(),
  "tokenizer.ggml.scores": z.array(z.number()).optional(),
  "tokenizer.ggml.bos_token_id": z.int().optional(),
  "tokenizer.ggml.eos_token_id": z.int().optional(),
  "tokenizer.ggml.eot_token_id": z.int().optional(),
  "tokenizer.ggml.unknown_token_id": z.int().optional(),
  "tokenizer.ggml.padding_token_id": z.int().optional(),
  "tokenizer.ggml.add_bos_token": z.boolean().optional(),
  "tokenizer.ggml.add_space_prefix": z.boolean().optional(),
  "tokenizer.chat_template": z.string().optional(),
});
type Metadata = z.infer<typeof metadataSchema>;

/** `token_type` of llama.cpp: a control token is special, a user-defined one is only added. */
export const TOKEN_TYPES = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
};

type PreTokenizer = { cuts: string[]; ignoreMerges?: boolean; addsBos?: boolean };

const modern = (digits: string) =>
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" +
  `${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

/** How llama.cpp cuts text before BPE, by the value of `tokenizer.ggml.pre`. */
export const preTokenizers: Record<string, PreTokenizer> = {
  "gpt-2": { cuts: [GPT2_WORDS] },
  smollm: { cuts: ["\\p{N}", GPT2_WORDS] },
  "llama-bpe": { cuts: [modern("\\p{N}{1,3}")], ignoreMerges: true, addsBos: true },
  qwen2: { cuts: [modern("\\p{N}")] },
};

/**
 * Builds `tokenizer.json` and `tokenizer_config.json` from a GGUF file's metadata.
 *
 * @param metadata Values by key, as the header holds them; `path` names the file in errors.
 * @returns Both files, parsed, and the ids that end a text or a turn: what `createTokenizer` takes.
 * @throws {UserError} When a key is missing or the kind of tokenizer is not one that is known here.
 */
export function tokenizerFromGguf(
  metadata: Record<string, unknown>,
  path = "the GGUF file",
): { tokenizer: object; config: object; eosIds: number[] } {
  const data = checkShape(metadataSchema, metadata, path);
  const model = data["tokenizer.ggml.model"];
  if (!Object.hasOwn(builders, model)) {
    const known = Object.keys(builders);
    throw unknownKind("tokenizer.ggml.model", model, { known, path });
  }
  const { addsBos, ...parts } = builders[model](data, path);
  const config = buildConfig(data, addsBos);
  const tokens = data["tokenizer.ggml.tokens"];
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens(data),
    post_processor: config.add_bos_token ? bosFirst(config.bos_token!, tokens) : null,
    ...parts,
  };
  return { tokenizer, config, eosIds: eosIdsOf(metadata) };
}

/** The ids that end a text, and a turn of a chat, as a GGUF file names them. */
export function eosIdsOf(metadata: Record<string, unknown>): number[] {
  const ids = ["eos", "eot"].map((name) => metadata[`tokenizer.ggml.${name}_token_id`]);
  return [...new Set(ids)].filter((id) => typeof id === "number");
}

/** What differs between kinds of tokenizers. */
type Parts = {
  normalizer: object | null;
  pre_tokenizer: object | null;
  decoder: object;
  model: object;
  /** Whether BOS is added where the file doesn't say. */
  addsBos: boolean;
};

/** How a tokenizer is built, by `tokenizer.ggml.model`. */
const builders: Record<string, (data: Metadata, path: string) => Parts> = {
  gpt2: byteLevel,
  llama: sentencePiece,
};

function byteLevel(data: Metadata, path: string): Parts {
  const pre = data["tokenizer.ggml.pre"] ?? "none";
  if (!Object.hasOwn(preTokenizers, pre)) {
    throw unknownKind("tokenizer.ggml.pre", pre, { known: Object.keys(preTokenizers), path });
  }
  const { cuts, ignoreMerges = false, addsBos = false } = preTokenizers[pre];
  const bytes = {
    type: "ByteLevel",
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: false,
  };
  const merges = (data["tokenizer.ggml.merges"] ?? []).map((merge) => merge.split(" "));
  return {
    normalizer: null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [...cuts.map(splitBy), bytes] },
    decoder: bytes,
    model: {
      ...bytePairs(data["tokenizer.ggml.tokens"], merges),
      ignore_merges: ignoreMerges,
    },
    addsBos,
  };
}

/** Spaces are "▁", what has no token is spelt in bytes, and the likeliest token is merged first. */
function sentencePiece(data: Metadata): Parts {
  const tokens = data["tokenizer.ggml.tokens"], types = data["tokenizer.ggml.token_type"] ?? [];
  const scores = data["tokenizer.ggml.scores"] ?? [];
  const isPiece = (_: string, id: number) => [undefined, TOKEN_TYPES.normal].includes(types[id]);
  const unknown = tokens[data["tokenizer.ggml.unknown_token_id"] ?? 0];
  const toBar = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const toSpace = { type: "Replace", pattern: { String: "▁" }, content: " " };
  const prefix = data["tokenizer.ggml.add_space_prefix"] ?? true;
  return {
    normalizer: {
      type: "Sequence",
      normalizers: [...(prefix ? [{ type: "Prepend", prepend: "▁" }] : []), toBar],
    },
    pre_tokenizer: null,
    decoder: {
      type: "Sequence",
      decoders: [
        toSpace,
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      ...bytePairs(tokens, mergesOf(tokens, { scores, isPiece })),
      unk_token: unknown,
      fuse_unk: true,
      byte_fallback: true,
    },
    addsBos: true,
  };
}

/**
 * Every way to put a piece together from two, likeliest piece first; of one piece's ways first the
 * one whose left half is longer, as transformers orders them when it reads a sentencepiece model.
 */
function mergesOf(
  tokens: string[],
  { scores, isPiece }: { scores: number[]; isPiece: (token: string, id: number) => boolean },
): string[][] {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merges = tokens.flatMap((token, id) => {
    if (!isPiece(token, id)) return [];
    const letters = [...token]; // whole characters: half a surrogate pair is no piece
    return letters.slice(1).flatMap((_, i) => {
      const halves = [letters.slice(0, i + 1).join(""), letters.slice(i + 1).join("")];
      return halves.every((half) => ids.has(half)) ? [{ halves, score: scores[id] ?? 0 }] : [];
    });
  });
  const lengths = ({ halves }: { halves: string[] }) => halves.map((half) => half.length);
  return merges.sort((a, b) => {
    const [[left, right], [otherLeft, otherRight]] = [lengths(a), lengths(b)];
    return b.score - a.score || otherLeft - left || otherRight - right;
  }).map(({ halves }) => halves);
}

const bytePairs = (tokens: string[], merges: string[][]) => ({
  type: "BPE",
  dropout: null,
  unk_token: null as string | null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
  ignore_merges: false,
  vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
  merges,
});

function addedTokens(data: Metadata) {
  const types = data["tokenizer.ggml.token_type"] ?? [];
  return data["tokenizer.ggml.tokens"].flatMap((content, id) => {
    const special = types[id] === TOKEN_TYPES.control || types[id] === TOKEN_TYPES.unknown;
    if (!special && types[id] !== TOKEN_TYPES.userDefined) return [];
    const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
    return [{ id, content, ...plain, special }];
  });
}

function buildConfig(data: Metadata, kindAddsBos: boolean) {
  const tokens = data["tokenizer.ggml.tokens"];
  const text = (id?: number) => id === undefined ? undefined : tokens[id];
  const bos = text(data["tokenizer.ggml.bos_token_id"]);
  const addsBos = data["tokenizer.ggml.add_bos_token"] ?? kindAddsBos;
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    clean_up_tokenization_spaces: false,
    add_bos_token: addsBos && bos !== undefined,
    bos_token: bos,
    eos_token: text(data["tokenizer.ggml.eos_token_id"]),
    unk_token: text(data["tokenizer.ggml.unknown_token_id"]),
    pad_token: text(data["tokenizer.ggml.padding_token_id"]),
    chat_template: data["tokenizer.chat_template"],
  };
}

function bosFirst(bos: string, tokens: string[]) {
  const first = { SpecialToken: { id: bos, type_id: 0 } };
  const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  return {
    type: "TemplateProcessing",
    single: [first, sequence("A", 0)],
    pair: [first, sequence("A", 0), sequence("B", 1)],
    special_tokens: { [bos]: { id: bos, ids: [tokens.indexOf(bos)], tokens: [bos] } },
  };
}

function unknownKind(
  field: string,
  found: string,
  { known, path }: { known: string[]; path: string },
) {
  const message = `Cannot build the tokenizer of "${path}": ${field} is "${found}", ` +
    `wanted one of ${known.join(", ")}`;
  return new UserError(message, { path, field });
}
