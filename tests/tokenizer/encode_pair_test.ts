import fc from "fast-check";
import { assert, assertEquals } from "../../lib/std.ts";
import { UserError } from "../../lib/errors.ts";
import {
  commonPrefixLength,
  encodeExample,
  encodePair,
  encodePrompt,
} from "../../lib/tokenizer/encode_pair.ts";
import { placeRow } from "../../lib/row_place.ts";
import { encodePairs } from "../../lib/tokenizer/encode_all.ts";
import type { Tokenizer } from "../../lib/tokenizer/tokenizer.ts";
import { userMessage } from "../thrown_by.ts";
import { buildKind, CHATML, kinds, loadKind } from "./fixtures.ts";

const triplet = {
  prompt: "Note: She takes metformin 500 mg.\n\nSummary:",
  chosen: " She takes metformin 500 mg.",
  rejected: " She takes metformin 850 mg.",
};

const whole = (tokenizer: Tokenizer, ids: number[]) =>
  tokenizer.decode(ids.filter((id) => id !== tokenizer.bosId));

for (const kind of kinds) {
  Deno.test(`encodePair() puts BOS and EOS once and loses no text: ${kind}`, async () => {
    const tokenizer = await loadKind(kind);
    const pair = encodePair(tokenizer, triplet, { index: 3 });
    assertEquals(pair.index, 3);
    assertEquals(pair.truncated, undefined);
    for (const side of ["chosen", "rejected"] as const) {
      const ids = [...pair.prompt, ...pair[side]];
      assertEquals(ids, [...tokenizer.encode(triplet.prompt + triplet[side]), tokenizer.eosId]);
      const text = triplet.prompt + triplet[side];
      assertEquals(whole(tokenizer, ids), `${text}${tokenizer.decode([tokenizer.eosId])}`);
    }
    const bos = pair.prompt.filter((id) => id === tokenizer.bosId);
    assertEquals(bos.length, tokenizer.bosId === null ? 0 : 1);
    assertEquals(pair.prompt, encodePrompt(tokenizer, triplet.prompt));
  });

  Deno.test(`encodePair() keeps the joint tokens of any text: ${kind}`, async () => {
    const tokenizer = await loadKind(kind);
    const text = fc.string({
      minLength: 1,
      maxLength: 12,
      unit: fc.constantFrom(..."ab th e12.\n"),
    });
    fc.assert(fc.property(text, text, text, (prompt, chosen, rejected) => {
      let pair;
      try {
        pair = encodePair(tokenizer, { prompt, chosen, rejected });
      } catch (error) {
        assert(error instanceof UserError && tokenizer.bosId === null, `${error}`);
        return;
      }
      const { eosId } = tokenizer;
      assertEquals([...pair.prompt, ...pair.chosen], [...tokenizer.encode(prompt + chosen), eosId]);
      assertEquals(
        [...pair.prompt, ...pair.rejected],
        [...tokenizer.encode(prompt + rejected), eosId],
      );
      const alone = encodePrompt(tokenizer, prompt);
      assertEquals(pair.prompt, alone.slice(0, pair.prompt.length));
    }));
  });
}

Deno.test("encodePair() gives a token that merges over the boundary to the response", async () => {
  const tokenizer = await loadKind("byte_level");
  const merged = tokenizer.encode("the patient");
  const pair = encodePair(tokenizer, { prompt: "the pat", chosen: "ient", rejected: "ch" });
  const boundary = commonPrefixLength(tokenizer.encode("the pat"), merged);
  assert(boundary < tokenizer.encode("the pat").length, "the example must merge");
  assertEquals(pair.prompt, merged.slice(0, boundary));
  assertEquals(pair.chosen, [...merged.slice(boundary), tokenizer.eosId]);
  assertEquals(tokenizer.decode([...pair.prompt, ...pair.rejected]), "the patch<|im_end|>");
  // Alone, another response would keep more of the prompt: the shortest boundary counts for both.
  const example = { prompt: "the pat", completion: " " };
  assert(encodeExample(tokenizer, example).prompt.length > pair.prompt.length);
});

Deno.test("encodePair() cuts at max_length as TRL does, and counts what it cut", async () => {
  const tokenizer = await loadKind("llama3");
  const full = encodePair(tokenizer, triplet);
  const maxLength = full.prompt.length + 2;
  const pair = encodePair(tokenizer, triplet, { maxLength });
  assertEquals(pair.prompt, full.prompt);
  assertEquals(pair.chosen, full.chosen.slice(0, 2));
  assertEquals(pair.rejected, full.rejected.slice(0, 2));
  assertEquals(pair.truncated, full.chosen.length + full.rejected.length - 4);
  const roomy = full.prompt.length + Math.max(full.chosen.length, full.rejected.length);
  assertEquals(encodePair(tokenizer, triplet, { maxLength: roomy }), full);
});

Deno.test("encodePair() names the row that has no response token left", async () => {
  const tokenizer = await loadKind("llama3");
  const { length } = encodePrompt(tokenizer, triplet.prompt);
  const tooShort = { index: 16, maxLength: length };
  const message = `Cannot encode row 17: the prompt's ${length} tokens leave no response token ` +
    `inside --max_length ${length}`;
  assertEquals(userMessage(() => encodePair(tokenizer, triplet, tooShort)), message);
  const read = placeRow({ ...triplet }, { path: "a.jsonl", line: 40 });
  assertEquals(
    userMessage(() => encodePairs(tokenizer, [read], tooShort)),
    message.replace("row 17", '"a.jsonl" line 40') + "; --skip_invalid leaves such rows out",
  );
  const merged = { prompt: "pat", chosen: "ient", rejected: "ch" };
  assertEquals(
    userMessage(() => encodePair({ ...tokenizer, encode: (text) => [text.length] }, merged)),
    "Cannot encode row 1: no token of the prompt precedes the response",
  );
});

Deno.test("encodePairs() refuses a pair whose difference was cut off", async () => {
  const tokenizer = await loadKind("llama3");
  const late = { prompt: "pat", chosen: "ient is well", rejected: "ient is ill" };
  const whole = encodePair(tokenizer, late),
    shared = commonPrefixLength(whole.chosen, whole.rejected);
  const maxLength = whole.prompt.length + shared;
  assertEquals(
    userMessage(() => encodePairs(tokenizer, [late], { maxLength })),
    `Cannot encode row 1: within --max_length ${maxLength} chosen and rejected are the same; ` +
      "--skip_invalid leaves such rows out",
  );
  assertEquals(encodePairs(tokenizer, [late], { maxLength: maxLength + 1 }).rows.length, 1);
});

Deno.test("encodePair() writes EOS once where the response brings its own", async () => {
  const tokenizer = await loadKind("byte_level");
  const plain = encodePair(tokenizer, triplet);
  for (const end of ["<|im_end|>", "<|im_end|>\n", "<|im_end|><|im_end|>"]) {
    const ended = { ...triplet, chosen: triplet.chosen + end, rejected: triplet.rejected + end };
    assertEquals(encodePair(tokenizer, ended), plain);
  }
});

Deno.test("encodePair() lays message lists out by the template, strings only when asked", async () => {
  const tokenizer = await buildKind("byte_level", { chat_template: CHATML });
  const messages = {
    prompt: [{ role: "user", content: "Summarise." }],
    chosen: [{ role: "assistant", content: "No fever." }],
    rejected: [{ role: "assistant", content: "Fever." }],
  };
  const pair = encodePair(tokenizer, messages);
  assertEquals(
    tokenizer.decode(pair.prompt),
    "<|im_start|>user\nSummarise.<|im_end|>\n<|im_start|>assistant\n",
  );
  assertEquals(tokenizer.decode(pair.chosen), "No fever.<|im_end|>");
  assertEquals(tokenizer.decode(pair.rejected), "Fever.<|im_end|>");
  const strings = { prompt: "Summarise.", chosen: "No fever.", rejected: "Fever." };
  assertEquals(encodePair(tokenizer, strings, { chat: true }), pair);
  const plain = encodePair(tokenizer, strings);
  assertEquals(
    tokenizer.decode([...plain.prompt, ...plain.chosen]),
    "Summarise.No fever.<|im_end|>",
  );
  assertEquals(encodePair(tokenizer, { ...messages, prompt: "Summarise." }), pair);
});

Deno.test("encodeExample() follows the same rules", async () => {
  const tokenizer = await loadKind("llama3");
  const example = { prompt: triplet.prompt, completion: triplet.chosen };
  const pair = encodePair(tokenizer, triplet, { index: 2 });
  const { prompt, chosen: completion } = pair;
  assertEquals(encodeExample(tokenizer, example, { index: 2 }), { index: 2, prompt, completion });
  const cut = encodeExample(tokenizer, example, { maxLength: prompt.length + 1 });
  assertEquals(cut.truncated, completion.length - 1);
});
