import { plainMetadata } from "../../lib/io/write_gguf.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { createTokenizer } from "../../lib/tokenizer/tokenizer.ts";
import { tokenizerFromGguf } from "../../lib/tokenizer/tokenizer_from_gguf.ts";
import { tokenizerToGguf } from "../../lib/tokenizer/tokenizer_to_gguf.ts";
import { userMessage } from "../thrown_by.ts";
import { buildKind, CHATML, kinds, loadKind, readGolden } from "./fixtures.ts";

const wanted = { byte_level: "smollm", llama3: "llama-bpe", byte_fallback: "default" };

for (const kind of kinds) {
  Deno.test(`tokenizerToGguf() and tokenizerFromGguf() keep every id: ${kind}`, async () => {
    const tokenizer = await loadKind(kind), vocabSize = tokenizer.vocabSize + 3;
    const metadata = plainMetadata(tokenizerToGguf(tokenizer, { vocabSize, path: kind }));
    assertEquals(metadata["tokenizer.ggml.pre"], wanted[kind]);
    assertEquals((metadata["tokenizer.ggml.tokens"] as string[]).length, vocabSize);
    assertEquals((metadata["tokenizer.ggml.token_type"] as number[]).slice(-3), [5, 5, 5]);
    const back = createTokenizer(tokenizerFromGguf(metadata, kind), kind);
    const { strings } = await readGolden("strings");
    for (const text of strings) {
      const ids = tokenizer.encode(text);
      assertEquals(back.encode(text), ids, JSON.stringify(text));
      assertEquals(back.decode(ids), tokenizer.decode(ids), JSON.stringify(text));
    }
    assertEquals([back.bosId, back.eosId], [tokenizer.bosId, tokenizer.eosId]);
  });
}

Deno.test("tokenizerToGguf() says what else llama.cpp asks for", async () => {
  const config = { chat_template: CHATML, pad_token: "<|endoftext|>" };
  const tokenizer = await buildKind("byte_level", { ...config, bos_token: "<|im_start|>" });
  const many = { ...tokenizer, eosIds: [2, 0] };
  const { vocabSize } = tokenizer;
  const metadata = plainMetadata(tokenizerToGguf(many, { vocabSize, path: "model" }));
  const ids = ["bos", "eos", "eot", "padding"].map((name) =>
    metadata[`tokenizer.ggml.${name}_token_id`]
  );
  assertEquals(ids, [1, 2, 0, 0]);
  assertEquals(metadata["tokenizer.ggml.add_bos_token"], false);
  assertEquals(metadata["tokenizer.chat_template"], CHATML);
});

Deno.test("tokenizerToGguf() refuses a tokenizer whose ids no kind gives", async () => {
  const tokenizer = await readGolden("byte_level/tokenizer");
  tokenizer.pre_tokenizer = { type: "ByteLevel", add_prefix_space: false, use_regex: false };
  const whole = createTokenizer({ tokenizer, config: { eos_token: "<|im_end|>" } }, "odd");
  // Merges over the border of words tell it from every kind that cuts there.
  tokenizer.model.merges.push(["e", "Ġ"]);
  tokenizer.model.vocab["eĠ"] = whole.vocabSize;
  const odd = createTokenizer({ tokenizer, config: { eos_token: "<|im_end|>" } }, "odd");
  const options = { vocabSize: odd.vocabSize, path: "odd" };
  const message = userMessage(() => tokenizerToGguf(odd, options));
  assert(
    message.startsWith(
      'Cannot write the tokenizer of "odd" into a GGUF file: none of the kinds that are known here ' +
        "gives its token ids, wanted byte-level BPE cut as by gpt-2, smollm,",
    ),
    message,
  );
});

Deno.test("tokenizerToGguf() takes a tokenizer that composes letters, as Qwen's does", async () => {
  const tokenizer = await readGolden("llama3/tokenizer");
  tokenizer.normalizer = { type: "NFC" };
  const composing = createTokenizer({ tokenizer, config: { eos_token: "</s>" } }, "qwen");
  const options = { vocabSize: composing.vocabSize, path: "qwen" };
  const metadata = plainMetadata(tokenizerToGguf(composing, options));
  assertEquals(metadata["tokenizer.ggml.pre"], "llama-bpe");
});
