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
  "tokenizer.ggml.bos_token_id": z.int().optional(),
  "tokenizer.ggml.eos_token_id": z.int().optional(),
  "tokenizer.ggml.unknown_token_id": z.int().optional(),
  "tokenizer.ggml.padding_token_id": z.int().optional(),
  "tokenizer.ggml.add_bos_token": z.boolean().optional(),
  "tokenizer.chat_template": z.string().optional(),
});
type Metadata = z.infer<typeof metadataSchema>;

/** `token_type` of llama.cpp: a control token is special, a user-defined one is only added. */
const CONTROL = 3;
const USER_DEFINED = 4;

type PreTokenizer = { cuts: string[]; ignoreMerges?: boolean; addsBos?: boolean };

const modern = (digits: string) =>
  "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" +
  `${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

/** How llama.cpp cuts text before BPE, by the value of `tokenizer.ggml.pre`. */
const preTokenizers: Record<string, PreTokenizer> = {
  "gpt-2": { cuts: [GPT2_WORDS] },
  smollm: { cuts: ["\\p{N}", GPT2_WORDS] },
  "llama-bpe": { cuts: [modern("\\p{N}{1,3}")], ignoreMerges: true, addsBos: true },
  qwen2: { cuts: [modern("\\p{N}")] },
};

/**
 * Builds `tokenizer.json` and `tokenizer_config.json` from a GGUF file's metadata.
 *
 * @param metadata Values by key, as the header holds them; `path` names the file in errors.
 * @returns Both files, parsed: what `createTokenizer` takes.
 * @throws {UserError} When a key is missing or the kind of tokenizer is not one that is known here.
 */
export function tokenizerFromGguf(
  metadata: Record<string, unknown>,
  path = "the GGUF file",
): { tokenizer: object; config: object } {
  const data = checkShape(metadataSchema, metadata, path);
  const model = data["tokenizer.ggml.model"];
  if (model !== "gpt2") throw unknownKind("tokenizer.ggml.model", model, { known: ["gpt2"], path });
  const pre = data["tokenizer.ggml.pre"] ?? "none";
  if (!Object.hasOwn(preTokenizers, pre)) {
    throw unknownKind("tokenizer.ggml.pre", pre, { known: Object.keys(preTokenizers), path });
  }
  const kind = preTokenizers[pre];
  const tokens = data["tokenizer.ggml.tokens"];
  const merges = data["tokenizer.ggml.merges"] ?? [];
  const config = buildConfig(data, kind);
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens(data),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        ...kind.cuts.map(splitBy),
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: config.add_bos_token ? bosFirst(config.bos_token!, tokens) : null,
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: kind.ignoreMerges ?? false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map((merge) => merge.split(" ")),
    },
  };
  return { tokenizer, config };
}

function addedTokens(data: Metadata) {
  const types = data["tokenizer.ggml.token_type"] ?? [];
  return data["tokenizer.ggml.tokens"].flatMap((content, id) => {
    const special = types[id] === CONTROL;
    if (!special && types[id] !== USER_DEFINED) return [];
    const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
    return [{ id, content, ...plain, special }];
  });
}

function buildConfig(data: Metadata, kind: PreTokenizer) {
  const tokens = data["tokenizer.ggml.tokens"];
  const text = (id?: number) => id === undefined ? undefined : tokens[id];
  const bos = text(data["tokenizer.ggml.bos_token_id"]);
  const addsBos = data["tokenizer.ggml.add_bos_token"] ?? kind.addsBos ?? false;
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
