import { UserError } from "../errors.ts";
import { type GgufMetadata, plainMetadata } from "../io/write_gguf.ts";
import { createRandom, shuffle } from "../random.ts";
import { pickChatTemplate } from "./chat_template.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";
import { preTokenizers, TOKEN_TYPES, tokenizerFromGguf } from "./tokenizer_from_gguf.ts";
import {
  adaptPreTokenizer,
  checkShape,
  type TokenizerConfig,
  tokenizerConfigSchema,
  type TokenizerJson,
  tokenizerSchema,
} from "./tokenizer_schema.ts";

export type TokenizerToGgufOptions = {
  /** Rows of the model's embedding: ids without a token are filled up to it. */
  vocabSize: number;
  /** Where the tokenizer came from, for messages. */
  path: string;
};

/**
 * Says a tokenizer in GGUF's words: tokens, kinds, merges or scores, special ids, chat template.
 *
 * GGUF names how text is cut before merging instead of describing it. Which name holds is found out:
 * each known one is read back and must give this tokenizer's ids on a hard text and on a text drawn
 * from the whole vocabulary.
 *
 * **Source**: llama.cpp's `convert_hf_to_gguf.py` and `gguf-py/gguf/vocab.py` for keys and kinds.
 *
 * @throws {UserError} Where the tokenizer is none that GGUF has a word for, as far as is known here.
 */
export function tokenizerToGguf(
  tokenizer: Tokenizer,
  { vocabSize, path }: TokenizerToGgufOptions,
): GgufMetadata {
  const { files } = tokenizer;
  const json = checkShape(tokenizerSchema, JSON.parse(files["tokenizer.json"]), path);
  const configText = files["tokenizer_config.json"] ?? "{}";
  const config = checkShape(tokenizerConfigSchema, JSON.parse(configText), path);
  const isBytePairs = json.model.type === "BPE" && !Array.isArray(json.model.vocab);
  if (!isBytePairs) throw noWord(path, `its model is ${json.model.type ?? "of no stated type"}`);
  const tokens = tokensById(json, vocabSize);
  const text = hardText(tokenizer, json), wanted = tokenizer.encode(text).join();
  for (const kind of kindsOf(json, tokens, path)) {
    const metadata = { ...kind, ...shared({ json, config, tokenizer, tokens }) };
    const back = createTokenizer(tokenizerFromGguf(plainMetadata(metadata), path), path);
    if (back.encode(text).join() === wanted) {
      const template = files["chat_template.jinja"] ?? pickChatTemplate(config.chat_template);
      return template === null ? metadata : { ...metadata, [TEMPLATE]: { text: template } };
    }
  }
  throw noWord(path, "none of the kinds that are known here gives its token ids");
}

const TEMPLATE = "tokenizer.chat_template";

function noWord(path: string, reason: string): UserError {
  const known =
    `wanted byte-level BPE cut as by ${Object.keys(preTokenizers).join(", ")}, or BPE ` +
    "with byte fallback as sentencepiece makes it";
  return new UserError(
    `Cannot write the tokenizer of "${path}" into a GGUF file: ${reason}, ${known}`,
    { path, field: "tokenizer" },
  );
}

/** Texts by id up to the embedding's size; null where an id stands for nothing. */
function tokensById({ model, added_tokens }: TokenizerJson, vocabSize: number): (string | null)[] {
  const tokens = new Array<string | null>(vocabSize).fill(null);
  for (const [token, id] of Object.entries(model.vocab)) tokens[id as number] = token;
  for (const { id, content, special } of added_tokens) {
    // sentencepiece's own texts: llama.cpp looks for them before spaces become "▁".
    const isText = model.byte_fallback && !special;
    tokens[id] = isText ? content.replaceAll("▁", " ") : content;
  }
  return tokens;
}

/** A merge is written "a b" or as a list. */
const mergesOf = ({ model }: TokenizerJson) =>
  (model.merges as (string | string[])[]).map((merge) => [merge].flat().join(" "));

/** How the tokenizer may be said, the likeliest first. */
function kindsOf(
  json: TokenizerJson,
  tokens: (string | null)[],
  path: string,
): GgufMetadata[] {
  if (json.model.byte_fallback) {
    const scores = scoresOf(json, tokens);
    const { normalizer, pre_tokenizer } = json;
    const addsPrefix = /"Prepend"|"Metaspace"/.test(JSON.stringify({ normalizer, pre_tokenizer }));
    return [addsPrefix, !addsPrefix].map((prefix): GgufMetadata => ({
      "tokenizer.ggml.model": { text: "llama" },
      "tokenizer.ggml.pre": { text: "default" },
      "tokenizer.ggml.scores": { f32s: scores },
      "tokenizer.ggml.add_space_prefix": { bool: prefix },
    }));
  }
  const merges = mergesOf(json);
  const own = cutsOf(adaptPreTokenizer(json.pre_tokenizer, path)).join();
  const isOwn = (pre: string) => preTokenizers[pre].cuts.join() === own ? 0 : 1;
  const names = Object.keys(preTokenizers).sort((a, b) => isOwn(a) - isOwn(b));
  return names.map((pre): GgufMetadata => ({
    "tokenizer.ggml.model": { text: "gpt2" },
    "tokenizer.ggml.pre": { text: pre },
    "tokenizer.ggml.merges": { texts: merges },
  }));
}

/** The regular expressions of a pre-tokenizer, in order. */
function cutsOf(part: unknown): string[] {
  const { pretokenizers, pattern } = Object(part);
  if (Array.isArray(pretokenizers)) return pretokenizers.flatMap(cutsOf);
  return pattern?.Regex === undefined ? [] : [pattern.Regex];
}

/** What sentencepiece would have said of each token: what is merged earlier is likelier. */
function scoresOf(json: TokenizerJson, tokens: (string | null)[]): number[] {
  const ranks = new Map<string, number>(), merges = mergesOf(json);
  merges.forEach((merge, rank) => {
    const token = merge.replace(" ", "");
    if (!ranks.has(token)) ranks.set(token, rank);
  });
  const added = new Set(json.added_tokens.map(({ id }) => id));
  return tokens.map((token, id) => {
    if (token === null || added.has(id) || isByte(token)) return 0;
    return -(ranks.get(token) ?? merges.length + id);
  });
}

const isByte = (token: string) => /^<0x[0-9A-F]{2}>$/.test(token);

/** What both kinds say. */
function shared({ json, config, tokenizer, tokens }: {
  json: TokenizerJson;
  config: TokenizerConfig;
  tokenizer: Tokenizer;
  tokens: (string | null)[];
}): GgufMetadata {
  const idOf = (token: unknown) => {
    const text = typeof token === "object"
      ? (token as { content?: string } | null)?.content
      : token;
    const id = tokens.indexOf(text as string);
    return text === undefined || text === null || id < 0 ? null : id;
  };
  const unknown = idOf(json.model.unk_token) ?? idOf(config.unk_token);
  const types = tokens.map((token, id) => {
    if (token === null) return TOKEN_TYPES.unused;
    if (json.model.byte_fallback && id === unknown) return TOKEN_TYPES.unknown;
    return json.model.byte_fallback && isByte(token) ? TOKEN_TYPES.byte : TOKEN_TYPES.normal;
  });
  for (const { id, special } of json.added_tokens) {
    if (types[id] === TOKEN_TYPES.unknown) continue;
    types[id] = special ? TOKEN_TYPES.control : TOKEN_TYPES.userDefined;
  }
  const { bosId, eosId, eosIds } = tokenizer;
  const ids = {
    bos: bosId ?? idOf(config.bos_token),
    eos: eosId,
    // Of several ends llama.cpp knows two by name: of the text, and of a turn.
    eot: eosIds[1] ?? null,
    unknown,
    padding: idOf(config.pad_token),
  };
  const named = Object.entries(ids).flatMap(([name, id]) =>
    id === null ? [] : [[`tokenizer.ggml.${name}_token_id`, { u32: id }]]
  );
  return {
    "tokenizer.ggml.tokens": { texts: tokens.map((token, id) => token ?? `[PAD${id}]`) },
    "tokenizer.ggml.token_type": { i32s: types },
    ...Object.fromEntries(named),
    "tokenizer.ggml.add_bos_token": { bool: bosId !== null },
    "tokenizer.ggml.add_eos_token": { bool: false },
  };
}

/** What tokenizers cut differently: digits, quotes, case, spaces, breaks, signs, other scripts. */
const HARD =
  " 3 33 333 3333 0.5mg/3x I'LL we'll don't DON'T 'S  two   spaces \t tab\n\nbreaks \n \r\n" +
  "!!! ... (a)-[b] «é» ÀÉ naïve αβγ Жук 日本語 テスト ไทย नमस्ते 🩺👩‍⚕️ ½ Ⅷ ١٢٣ x_y __ snake_case CamelCase" +
  "\u00a0nbsp\u3000wide ﬁ a\u0301 end  ";
const MOST_TOKENS = 20_000;

/** The hard text, then the vocabulary's own tokens in a drawn order, so that every merge is met. */
function hardText(
  tokenizer: Tokenizer,
  { model, added_tokens, normalizer }: TokenizerJson,
): string {
  const special = new Set(added_tokens.map(({ id }) => id));
  const ids = (Object.values(model.vocab) as number[]).filter((id) => !special.has(id));
  const drawn = shuffle(ids, createRandom(1)).slice(0, MOST_TOKENS);
  const text = HARD + drawn.map((id) => tokenizer.decode([id])).join("");
  // GGUF has no word for composing letters: such a tokenizer is held to text that is composed.
  return JSON.stringify(normalizer).includes('"NFC"') ? text.normalize("NFC") : text;
}
