import { UserError } from "../errors.ts";
import { placeOf, placeRow } from "../row_place.ts";
import type { EncodedExample, EncodedPair, Example, Message, Triplet } from "../types.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Options of {@link encodePair}. */
export type EncodePairOptions = {
  /** Place among the rows, counted from 0: it names the row in errors and results. */
  index?: number;
  /** Most tokens that prompt and one response may have together; what stands after is cut off. */
  maxLength?: number;
  /** Lay plain strings out by the chat template too; message lists always are. */
  chat?: boolean;
};

type Text = string | Message[];

/**
 * Turns a triplet into token ids. Prompt and each response are tokenised as one text, and the
 * prompt ends where all three token lists still agree: a token that merges over the boundary belongs
 * to the response. BOS stands once where the tokenizer adds it, EOS once at each response's end,
 * unless `maxLength` cut that end off, which `truncated` tells.
 *
 * **Source**: TRL 1.16's DPOTrainer (`truncation_mode="keep_start"`), except that a chat template's
 * characters after the last EOS are left out.
 * **Units**: tokens.
 *
 * @param tokenizer The model's own.
 * @param triplet Strings, used as they are, or message lists, laid out by the chat template.
 * @returns Ids; prompt and response together are the ids of the joint text.
 * @throws {UserError} When a response has no token left inside `maxLength`, or nothing precedes it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodePair } from "./encode_pair.ts";
 * import { loadTokenizer } from "./load_tokenizer.ts";
 * const tokenizer = await loadTokenizer("tests/golden/tokenizers/byte_level");
 * const triplet = { prompt: "Fever?", chosen: " No.", rejected: " Yes." };
 * const { prompt, chosen } = encodePair(tokenizer, triplet);
 * assert.equal(tokenizer.decode(prompt), "Fever?");
 * assert.equal(tokenizer.decode(chosen), " No.<|im_end|>");
 * ```
 */
export function encodePair(
  tokenizer: Tokenizer,
  triplet: Triplet,
  options: EncodePairOptions = {},
): EncodedPair {
  const { index = 0 } = options, responses = [triplet.chosen, triplet.rejected];
  const { prompt, encoded: [chosen, rejected], truncated } = encodeTexts(
    tokenizer,
    { ...triplet, responses, name: nameRow(triplet, index) },
    options,
  );
  return placeRow({ index, prompt, chosen, rejected, ...truncated }, placeOf(triplet));
}

/**
 * Turns a prompt with its completion into token ids, by the rules of {@link encodePair}.
 *
 * @throws {UserError} When the completion has no token left inside `maxLength`, or nothing precedes it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodeExample } from "./encode_pair.ts";
 * import { loadTokenizer } from "./load_tokenizer.ts";
 * const tokenizer = await loadTokenizer("tests/golden/tokenizers/byte_level");
 * const { completion } = encodeExample(tokenizer, { prompt: "Fever?", completion: " No." });
 * assert.equal(completion.at(-1), tokenizer.eosId);
 * ```
 */
export function encodeExample(
  tokenizer: Tokenizer,
  example: Example,
  options: EncodePairOptions = {},
): EncodedExample {
  const { index = 0 } = options, responses = [example.completion];
  const { prompt, encoded: [completion], truncated } = encodeTexts(
    tokenizer,
    { ...example, responses, name: nameRow(example, index) },
    options,
  );
  return placeRow({ index, prompt, completion, ...truncated }, placeOf(example));
}

/**
 * Turns a prompt alone into token ids: what generation starts from.
 *
 * @param prompt A string, used as it is unless `chat` asks for the template, or a message list.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodePrompt } from "./encode_pair.ts";
 * import { loadTokenizer } from "./load_tokenizer.ts";
 * const tokenizer = await loadTokenizer("tests/golden/tokenizers/llama3");
 * assert.equal(encodePrompt(tokenizer, "Fever?")[0], tokenizer.bosId);
 * ```
 */
export function encodePrompt(
  tokenizer: Tokenizer,
  prompt: string | Message[],
  { chat = false }: { chat?: boolean } = {},
): number[] {
  if (!chat && typeof prompt === "string") return tokenizer.encode(prompt);
  const messages = asMessages(prompt, "user");
  return tokenizer.encode(tokenizer.applyChatTemplate(messages, { addGenerationPrompt: true }), {
    special: false,
  });
}

/** A row in a message: by its line where it was read from a file. */
export function nameRow(row: Triplet | Example, index: number): string {
  const place = placeOf(row);
  return place ? `"${place.path}" line ${place.line}` : `row ${index + 1}`;
}

function encodeTexts(
  tokenizer: Tokenizer,
  { prompt, responses, name }: { prompt: Text; responses: Text[]; name: string },
  { maxLength = Infinity, chat = false }: EncodePairOptions,
) {
  const asChat = chat || [prompt, ...responses].some((text) => typeof text !== "string");
  const promptIds = encodePrompt(tokenizer, prompt, { chat: asChat });
  const joint = responses.map((response) => encodeJoint(tokenizer, prompt, response, asChat));
  const boundary = Math.min(...joint.map((ids) => commonPrefixLength(promptIds, ids)));
  if (boundary === 0 || boundary >= maxLength) {
    const why = boundary === 0
      ? "no token of the prompt precedes the response"
      : `the prompt's ${boundary} tokens leave no response token inside --max_length ${maxLength}`;
    throw new UserError(`Cannot encode ${name}: ${why}`, { field: "prompt" });
  }
  const whole = joint.map((ids) => endOnce(tokenizer, ids.slice(boundary)));
  const kept = whole.map((ids) => ids.slice(0, maxLength - boundary));
  const cut = total(whole) - total(kept);
  return {
    prompt: promptIds.slice(0, boundary),
    encoded: kept,
    truncated: cut > 0 ? { truncated: cut } : {},
  };
}

function encodeJoint(tokenizer: Tokenizer, prompt: Text, response: Text, chat: boolean): number[] {
  if (!chat) return tokenizer.encode(`${prompt}${response}`);
  const messages = [...asMessages(prompt, "user"), ...asMessages(response, "assistant")];
  return tokenizer.encode(tokenizer.applyChatTemplate(messages), { special: false });
}

const asMessages = (text: Text, role: string) =>
  typeof text === "string" ? [{ role, content: text }] : text;

/** Ends a response with one EOS: what a template writes after its last EOS (a newline) goes. */
function endOnce(tokenizer: Tokenizer, ids: number[]): number[] {
  const { eosId } = tokenizer;
  let end = ids.lastIndexOf(eosId);
  if (end < 0 || tokenizer.decode(ids.slice(end + 1)).trim() !== "") end = ids.length;
  while (ids[end - 1] === eosId) end--;
  return [...ids.slice(0, end), eosId];
}

/** How many leading tokens two lists share. */
export function commonPrefixLength(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}

const total = (lists: number[][]) => lists.reduce((sum, list) => sum + list.length, 0);
