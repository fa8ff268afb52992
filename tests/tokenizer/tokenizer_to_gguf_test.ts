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
  const back = createTokenizer(tokenizerFromGguf(metadata, "model"), "model");
  assertEquals(back.eosIds, [2, 0]); // a turn's end ends what the file's model writes too
});

/** Gemma's kind: no space before a text, cut behind spaces, runs of them as tokens of their own. */
async function gemmaTokenizer(): Promise<object> {
  const tokenizer = await readGolden("byte_fallback/tokenizer"), { vocab } = tokenizer.model;
  tokenizer.normalizer = tokenizer.normalizer.normalizers[1];
  const pattern = { String: " " }, behavior = "MergedWithPrevious";
  tokenizer.pre_tokenizer = { type: "Split", pattern, behavior, invert: false };
  tokenizer.decoder.decoders.pop();
  const merges: string[][] = [];
  for (let run = 2; run < 32; run++) {
    const content = "▁".repeat(run), id = vocab[content] ??= Object.keys(vocab).length;
    tokenizer.added_tokens.push({ ...tokenizer.added_tokens[0], id, content, special: false });
    for (let i = 1; i < run; i++) merges.push([content.slice(i), content.slice(run - i)]);
  }
  tokenizer.model.merges.unshift(...merges);
  return tokenizer;
}

Deno.test("tokenizerToGguf() says Gemma's tokenizer as llama.cpp has it", async () => {
  const config = { bos_token: "<s>", eos_token: "</s>", add_bos_token: true };
  const own = createTokenizer({ tokenizer: await gemmaTokenizer(), config }, "gemma");
  const { vocabSize } = own, text = "two  spaces   and  four    x. ";
  const metadata = plainMetadata(tokenizerToGguf(own, { vocabSize, path: "gemma" }));
  assertEquals(metadata["tokenizer.ggml.add_space_prefix"], false);
  const tokens = metadata["tokenizer.ggml.tokens"] as string[];
  const types = metadata["tokenizer.ggml.token_type"] as number[];
  const run = tokens.indexOf("  "); // spaces, not what they become
  assertEquals([tokens.indexOf("▁▁"), types[run]], [-1, 4]);
  const back = createTokenizer(tokenizerFromGguf(metadata, "gemma"), "gemma");
  assertEquals(back.encode(text), own.encode(text));
  assert(own.encode(text).includes(run));
  assertEquals(own.decode(own.encode(text), { skipSpecial: true }), text);
});

Deno.test("tokenizerToGguf() finds Qwen's name, which differs from Llama's in how digits are cut", async () => {
  const tokenizer = await readGolden("llama3/tokenizer");
  const { pattern } = tokenizer.pre_tokenizer.pretokenizers[0];
  pattern.Regex = pattern.Regex.replace("{1,3}", "");
  const own = createTokenizer({ tokenizer, config: { eos_token: "</s>" } }, "qwen");
  const metadata = tokenizerToGguf(own, { vocabSize: own.vocabSize, path: "qwen" });
  assertEquals(plainMetadata(metadata)["tokenizer.ggml.pre"], "qwen2");
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
