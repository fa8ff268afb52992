import { Tokenizer as Library } from "@huggingface/tokenizers";
import { UserError } from "../errors.ts";
import type { Message } from "../types.ts";
import { createChatRenderer, pickChatTemplate } from "./chat_template.ts";
import { memoizeWords } from "./memoize_words.ts";
import {
  adaptPreTokenizer,
  checkShape,
  type TokenizerConfig,
  tokenizerConfigSchema,
  type TokenizerJson,
  tokenizerSchema,
} from "./tokenizer_schema.ts";

/** Text to token ids and back. */
export interface Tokenizer {
  /** Token ids of a text; BOS first where this tokenizer adds it, unless `special` is false. */
  encode(text: string, options?: { special?: boolean }): number[];
  /** The text of token ids, exactly; ids that stand for no token read as nothing. */
  decode(ids: ArrayLike<number>, options?: { skipSpecial?: boolean }): string;
  /** Messages as one text; throws a `UserError` where the tokenizer has no chat template. */
  applyChatTemplate(messages: Message[], options?: { addGenerationPrompt?: boolean }): string;
  /** The largest id and one. */
  readonly vocabSize: number;
  /** Begins a text, only where the tokenizer adds it. */
  readonly bosId: number | null;
  /** The token that ends a response in training. */
  readonly eosId: number;
  /** Every token that ends what a model writes, `eosId` first: a chat model may have several. */
  readonly eosIds: readonly number[];
  /** What a saved model needs of this tokenizer: contents by file name. */
  readonly files: Record<string, string>;
}

/** The parsed files that a tokenizer is built from. */
export type TokenizerParts = {
  /** `tokenizer.json`. */
  tokenizer: unknown;
  /** `tokenizer_config.json`. */
  config?: unknown;
  /** EOS as another config of the model names it; the first serves where `config` names none. */
  eosIds?: readonly number[];
  /** `chat_template.jinja`; it stands before the one in `config`. */
  chatTemplate?: string;
  /** Contents by file name, kept for saving; written anew from the parts where absent. */
  files?: Record<string, string>;
};

/**
 * Builds a {@link Tokenizer} from the parsed files of a Hugging Face folder.
 *
 * @param parts The files; `path` names their place in error messages.
 * @throws {UserError} When a file has the wrong shape, or no EOS token can be found.
 */
export function createTokenizer(parts: TokenizerParts, path: string): Tokenizer {
  const json = checkShape(tokenizerSchema, parts.tokenizer, path);
  const configPath = path.replace(/tokenizer\.json$/, "tokenizer_config.json");
  const config = checkShape(tokenizerConfigSchema, parts.config ?? {}, configPath);
  const library = buildLibrary(json, config, path);
  const vocab = library.get_vocab(true);
  const names = specialTokens(config);
  const idOf = (name: string) => library.token_to_id(names[name] ?? "") ?? null;
  const bosId = findBos(library, config, idOf("bos_token"));
  const { eosIds = [] } = parts;
  const eosId = idOf("eos_token") ?? eosIds.at(0);
  if (eosId === undefined) {
    throw new UserError(
      `Cannot use the tokenizer of "${path}": no end-of-sequence token, wanted "eos_token" in ` +
        `tokenizer_config.json or "eos_token_id" in generation_config.json or config.json`,
      { path, field: "eos_token" },
    );
  }
  const template = parts.chatTemplate ?? pickChatTemplate(config.chat_template);
  let render: ReturnType<typeof createChatRenderer> | undefined;

  const decode = (ids: ArrayLike<number>, { skipSpecial = false } = {}) => {
    const known = Array.from(ids).filter((id) => library.id_to_token(id) !== undefined);
    if (known.length === 0) return "";
    return library.decode(known, {
      skip_special_tokens: skipSpecial,
      clean_up_tokenization_spaces: false,
    });
  };
  return {
    encode(text, { special = true } = {}) {
      const { ids } = library.encode(text, { add_special_tokens: false });
      return special && bosId !== null && ids[0] !== bosId ? [bosId, ...ids] : ids;
    },
    decode,
    applyChatTemplate(messages, { addGenerationPrompt = false } = {}) {
      if (template === null) {
        throw new UserError(`Cannot lay out messages: the tokenizer of "${path}" has no template`, {
          path,
        });
      }
      render ??= createChatRenderer(template, path);
      return render(messages, { addGenerationPrompt, tokens: names });
    },
    vocabSize: largest(vocab.values()) + 1,
    bosId,
    eosId,
    eosIds: [...new Set([eosId, ...eosIds])],
    files: parts.files ?? writeFiles(parts),
  };
}

function buildLibrary(json: TokenizerJson, config: TokenizerConfig, path: string): Library {
  const pre_tokenizer = adaptPreTokenizer(json.pre_tokenizer, path);
  try {
    const library = new Library({ ...json, pre_tokenizer }, config);
    memoizeWords(library);
    return library;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`Cannot build the tokenizer of "${path}": ${reason}`, { path, cause });
  }
}

/** `bos_token`, `eos_token`, ... of the config as plain strings. */
function specialTokens(config: TokenizerConfig): Record<string, string> {
  const entries = Object.entries(config).flatMap(([name, token]) => {
    const text = typeof token === "string" ? token : (token as { content?: unknown })?.content;
    return name.endsWith("_token") && typeof text === "string" ? [[name, text]] : [];
  });
  return Object.fromEntries(entries);
}

/** BOS as transformers 5 decides it: `add_bos_token` where it is stated, else the post-processor. */
function findBos(library: Library, config: TokenizerConfig, named: number | null): number | null {
  if (config.add_bos_token === false) return null;
  if (config.add_bos_token === true && named !== null) return named;
  const plain = library.encode("a", { add_special_tokens: false }).ids;
  const { ids } = library.encode("a");
  return ids[0] === plain[0] ? null : ids[0];
}

function writeFiles({ tokenizer, config, chatTemplate }: TokenizerParts): Record<string, string> {
  return {
    "tokenizer.json": JSON.stringify(tokenizer),
    ...(config !== undefined && { "tokenizer_config.json": JSON.stringify(config, null, 2) }),
    ...(chatTemplate !== undefined && { "chat_template.jinja": chatTemplate }),
  };
}

function largest(ids: Iterable<number>): number {
  let max = -1;
  for (const id of ids) max = Math.max(max, id);
  return max;
}
