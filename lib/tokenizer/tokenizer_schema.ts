import { z } from "zod";
import { UserError } from "../errors.ts";

/** Not a `z.record`: that copies 100,000 keys and drops a token called `__proto__`. */
const isVocabulary = (value: unknown) =>
  Array.isArray(value)
    ? value.every((entry) => Array.isArray(entry) && typeof entry[0] === "string")
    : typeof value === "object" && value !== null && Object.values(value).every(Number.isInteger);

const pretokenizer = z.looseObject({ type: z.string() }).nullable();

/** What this project reads of a `tokenizer.json`; everything else passes through untouched. */
export const tokenizerSchema = z.looseObject({
  added_tokens: z.array(
    z.looseObject({ id: z.int().nonnegative(), content: z.string(), special: z.boolean() }),
  ),
  normalizer: z.looseObject({ type: z.string() }).nullable(),
  pre_tokenizer: pretokenizer,
  post_processor: z.looseObject({ type: z.string() }).nullable(),
  decoder: z.looseObject({ type: z.string() }).nullable(),
  model: z.looseObject({
    type: z.enum(["BPE", "Unigram", "WordPiece"]).optional(),
    vocab: z.custom<object>(isVocabulary, "expected an object of token ids or a list of tokens"),
  }),
});

const specialToken = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();

/** What this project reads of a `tokenizer_config.json`. */
export const tokenizerConfigSchema = z.looseObject({
  bos_token: specialToken,
  eos_token: specialToken,
  pad_token: specialToken,
  unk_token: specialToken,
  add_bos_token: z.boolean().nullish(),
  chat_template: z.union([
    z.string(),
    z.array(z.looseObject({ name: z.string(), template: z.string() })),
  ]).nullish(),
});

/** What this project reads of a `config.json` or `generation_config.json` when it looks for EOS. */
export const eosConfigSchema = z.looseObject({
  eos_token_id: z.union([z.int(), z.array(z.int()).nonempty()]).nullish(),
});

export type TokenizerJson = z.infer<typeof tokenizerSchema>;
export type TokenizerConfig = z.infer<typeof tokenizerConfigSchema>;

/** Checks a parsed JSON file against a schema; the first thing wrong becomes a {@link UserError}. */
export function checkShape<T>(schema: z.ZodType<T>, value: unknown, path: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path: keys, message } = result.error.issues[0];
  const field = keys.join(".") || "the top level";
  throw new UserError(`Cannot read "${path}": wrong shape at ${field}: ${message}`, {
    path,
    field,
  });
}

/** How GPT-2 cuts text into words. */
export const GPT2_WORDS =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** The pre-tokenizer that cuts out what a regular expression (Oniguruma's dialect) finds. */
export const splitBy = (Regex: string) => ({
  type: "Split",
  pattern: { Regex },
  behavior: "Isolated",
  invert: false,
});

/** A pre-tokenizer's description with what the library does otherwise than Rust put right. */
export function adaptPreTokenizer(config: TokenizerJson["pre_tokenizer"], path: string) {
  if (config === null) return null;
  if (config.type === "Sequence" && Array.isArray(config.pretokenizers)) {
    const pretokenizers: unknown[] = config.pretokenizers.map((part) =>
      adaptPreTokenizer(checkShape(pretokenizer, part, path), path)
    );
    return { ...config, pretokenizers };
  }
  if (config.type === "Digits") {
    // The library's Digits knows decimal digits only, Rust's takes every \p{N} ("½", "Ⅷ").
    const Regex = config.individual_digits ? "\\p{N}" : "\\p{N}+";
    return splitBy(Regex);
  }
  if (config.type === "ByteLevel" && config.use_regex !== false && !config.add_prefix_space) {
    // The library's own pattern takes \s as JavaScript does, which differs at U+FEFF and U+0085.
    return {
      type: "Sequence",
      pretokenizers: [splitBy(GPT2_WORDS), { ...config, use_regex: false }],
    };
  }
  return config.type === "Split" ? adaptSplit(config, path) : config;
}

/** The library knows pieces of their own and no pieces; a piece's end, as Gemma has it, is put in words. */
function adaptSplit(config: NonNullable<TokenizerJson["pre_tokenizer"]>, path: string) {
  const { behavior, invert, pattern } = config;
  if (["Isolated", "Removed"].includes(String(behavior))) return config;
  const end = (pattern as { String?: unknown } | undefined)?.String;
  if (behavior === "MergedWithPrevious" && typeof end === "string" && !invert) {
    const other = `(?:(?!${RegExp.escape(end)})[\\s\\S])`;
    return splitBy(`${other}*${RegExp.escape(end)}|${other}+`);
  }
  throw new UserError(
    `Cannot use "${path}": its pre-tokenizer splits with behavior "${behavior}", supported are ` +
      "Isolated, Removed, and MergedWithPrevious of a plain text",
    { path, field: "pre_tokenizer" },
  );
}
