import { assert, assertEquals } from "../../lib/std.ts";
import { createTokenizer } from "../../lib/tokenizer/tokenizer.ts";
import { tokenizerFromGguf } from "../../lib/tokenizer/tokenizer_from_gguf.ts";
import { userMessage } from "../thrown_by.ts";
import { readGolden } from "./fixtures.ts";

/** A tokenizer.json of the golden kinds, said in GGUF's words. */
async function ggufWords(kind: string, pre: string): Promise<Record<string, unknown>> {
  const { model, added_tokens } = await readGolden(`${kind}/tokenizer`);
  const entries = Object.entries(model.vocab as Record<string, number>).sort((a, b) => a[1] - b[1]);
  const special = new Set(added_tokens.map((token: { id: number }) => token.id));
  return {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": pre,
    "tokenizer.ggml.tokens": entries.map(([token]) => token),
    "tokenizer.ggml.token_type": entries.map(([, id]) => special.has(id) ? 3 : 1),
    "tokenizer.ggml.merges": model.merges.map((merge: string[]) => merge.join(" ")),
    "tokenizer.ggml.bos_token_id": 0,
    "tokenizer.ggml.eos_token_id": kind === "llama3" ? 1 : 2,
    "tokenizer.chat_template": "{{ bos_token }}",
  };
}

for (const [kind, pre] of [["byte_level", "smollm"], ["llama3", "llama-bpe"]]) {
  Deno.test(`tokenizerFromGguf() gives the ids of the tokenizer.json it came from: ${pre}`, async () => {
    const parts = tokenizerFromGguf(await ggufWords(kind, pre));
    const tokenizer = createTokenizer(parts, "model.gguf");
    const { strings } = await readGolden("strings");
    const { ids } = await readGolden(`${kind}/golden`);
    strings.forEach((text: string, i: number) => {
      const wanted = ids[i][0] === ids[i][1] && text.startsWith("<s>") ? ids[i].slice(1) : ids[i];
      assertEquals(tokenizer.encode(text), wanted, JSON.stringify(text));
    });
    assertEquals(tokenizer.bosId, pre === "llama-bpe" ? 0 : null);
    assertEquals(tokenizer.eosId, kind === "llama3" ? 1 : 2);
    assertEquals(tokenizer.applyChatTemplate([]), tokenizer.decode([0]));
  });
}

Deno.test("tokenizerFromGguf() lets add_bos_token decide, and user-defined tokens stay whole", async () => {
  const words = await ggufWords("byte_level", "gpt-2");
  const types = words["tokenizer.ggml.token_type"] as number[];
  types[1] = 4;
  const tokenizer = createTokenizer(
    tokenizerFromGguf({ ...words, "tokenizer.ggml.add_bos_token": true }),
    "model.gguf",
  );
  assertEquals(tokenizer.encode("<|im_start|>"), [0, 1]);
  assertEquals(tokenizer.decode([0, 1], { skipSpecial: true }), "<|im_start|>");
});

Deno.test("tokenizerFromGguf() names a kind that it doesn't know", async () => {
  const words = await ggufWords("byte_level", "chameleon");
  assertEquals(
    userMessage(() => tokenizerFromGguf(words, "a.gguf")),
    `Cannot build the tokenizer of "a.gguf": tokenizer.ggml.pre is "chameleon", ` +
      `wanted one of gpt-2, smollm, llama-bpe, qwen2`,
  );
  const bert = { ...words, "tokenizer.ggml.model": "bert" };
  assert(userMessage(() => tokenizerFromGguf(bert)).includes(`tokenizer.ggml.model is "bert"`));
  assert(userMessage(() => tokenizerFromGguf({})).includes("wrong shape at tokenizer.ggml.model"));
});
