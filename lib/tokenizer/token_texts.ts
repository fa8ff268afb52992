import type { Tokenizer } from "./tokenizer.ts";

/** What stands where a character's bytes are not all there. */
const BROKEN = "\uFFFD";

/**
 * The text that each token adds to those before it; joined they are the text of all tokens. Where a
 * character is spread over several tokens, the last of them brings it and the others are empty.
 *
 * **Source**: each token is decoded behind the last ones that ended in whole characters, as streaming
 * decoders do: a tokenizer may treat the beginning of a text in its own way.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTokenizer } from "./load_tokenizer.ts";
 * import { tokenTexts } from "./token_texts.ts";
 * const tokenizer = await loadTokenizer("tests/golden/tokenizers/byte_level");
 * const text = "38.5 °C, naïve \u{1F912}", texts = tokenTexts(tokenizer, tokenizer.encode(text));
 * assert.equal(texts.join(""), text);
 * ```
 */
export function tokenTexts(tokenizer: Tokenizer, ids: ArrayLike<number>): string[] {
  const all = Array.from(ids), texts: string[] = [];
  let context = 0, done = 0; // tokens from `context` on are decoded, those before `done` are told
  for (let end = 1; end <= all.length; end++) {
    const before = tokenizer.decode(all.slice(context, done));
    const text = tokenizer.decode(all.slice(context, end));
    if (text.endsWith(BROKEN) && end < all.length) {
      texts.push("");
      continue;
    }
    texts.push(text.slice(before.length));
    [context, done] = [done, end];
  }
  return texts;
}
