import { basename, dirname, join } from "node:path";
import { UserError } from "../errors.ts";
import { fileError } from "../io/file_error.ts";
import { openGguf } from "../io/gguf.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";
import { checkShape, eosConfigSchema } from "./tokenizer_schema.ts";
import { tokenizerFromGguf } from "./tokenizer_from_gguf.ts";

/** Copied to where a model is saved, as far as the source has them. */
const COPIED = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
];
/** Where else EOS may stand, and more than one of it; the first that names any is taken. */
const EOS_CONFIGS = ["generation_config.json", "config.json"];

/**
 * Loads a tokenizer from a model folder or a `tokenizer.json`, with what stands beside it
 * (`tokenizer_config.json`, `chat_template.jinja`, the configs that may name EOS), or from a `.gguf`.
 *
 * @param path A folder that holds `tokenizer.json`, that file, or a GGUF file.
 * @returns Token ids equal to those of Hugging Face's Rust tokenizers.
 * @throws {UserError} When a file is missing, unreadable or of the wrong shape, or EOS is nowhere.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTokenizer } from "./load_tokenizer.ts";
 * const tokenizer = await loadTokenizer("tests/golden/tokenizers/llama3");
 * const ids = tokenizer.encode("no fever");
 * assert.equal(ids[0], tokenizer.bosId);
 * assert.equal(tokenizer.decode(ids, { skipSpecial: true }), "no fever");
 * ```
 */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  if (path.endsWith(".gguf")) return await loadFromGguf(path);
  const isFile = path.endsWith(".json");
  const folder = isFile ? dirname(path) : path;
  const main = isFile ? path : join(path, "tokenizer.json");
  const text = await readText(main);
  if (text === null) {
    throw new UserError(`Cannot find "${main}": wanted a model folder with a tokenizer.json`, {
      path: main,
    });
  }
  const files: Record<string, string> = { "tokenizer.json": text };
  for (const name of COPIED.filter((n) => n !== "tokenizer.json" && n !== basename(main))) {
    const content = await readText(join(folder, name));
    if (content !== null) files[name] = content;
  }
  const config = files["tokenizer_config.json"];
  return createTokenizer({
    tokenizer: parseJson(text, main),
    config: config === undefined ? {} : parseJson(config, join(folder, "tokenizer_config.json")),
    eosIds: await findEos(folder),
    chatTemplate: files["chat_template.jinja"],
    files,
  }, main);
}

async function loadFromGguf(path: string): Promise<Tokenizer> {
  const source = await openGguf(path);
  try {
    return createTokenizer(tokenizerFromGguf(source.metadata, path), path);
  } finally {
    source.close();
  }
}

async function findEos(folder: string): Promise<number[] | undefined> {
  for (const name of EOS_CONFIGS) {
    const path = join(folder, name);
    const text = await readText(path);
    if (text === null) continue;
    const ids = checkShape(eosConfigSchema, parseJson(text, path), path).eos_token_id;
    if (ids !== null && ids !== undefined) return [ids].flat();
  }
}

async function readText(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) {
      return null;
    }
    throw fileError(cause, { action: "read", path });
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`Cannot read "${path}": not JSON: ${reason}`, { path, cause });
  }
}
