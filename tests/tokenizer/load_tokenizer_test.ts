import { assert, assertEquals } from "../../lib/std.ts";
import { UserError } from "../../lib/errors.ts";
import { loadTokenizer } from "../../lib/tokenizer/load_tokenizer.ts";
import { createTokenizer } from "../../lib/tokenizer/tokenizer.ts";
import { testUnless } from "../test_unless.ts";
import { buildKind, CHATML, kinds, loadKind, readGolden } from "./fixtures.ts";

for (const kind of kinds) {
  Deno.test(`loadTokenizer() encodes and decodes as Rust does: ${kind}`, async () => {
    const { strings } = await readGolden("strings");
    const { ids, decoded } = await readGolden(`${kind}/golden`);
    const tokenizer = await loadKind(kind);
    strings.forEach((text: string, i: number) => {
      // "BOS once" is ours: Rust puts a second one before a text that begins with its name.
      const wanted = ids[i][0] === ids[i][1] && text.startsWith("<s>") ? ids[i].slice(1) : ids[i];
      assertEquals(tokenizer.encode(text), wanted, JSON.stringify(text));
      assertEquals(tokenizer.decode(ids[i], { skipSpecial: true }), decoded[i]);
    });
  });
}

const SMOLLM2 = "models/SmolLM2-135M-Instruct";
const smollm2 = await loadTokenizer(SMOLLM2).catch(() => null);
const otherSmollm2 = !smollm2
  ? `${SMOLLM2} is not there`
  : smollm2.files["tokenizer_config.json"].includes("TokenizersBackend") &&
    `${SMOLLM2} was written by transformers, which converts it wrongly`;
testUnless(otherSmollm2, "encode() gives llama.cpp's ids on SmolLM2's own tokenizer", async () => {
  const { strings } = await readGolden("strings");
  const { ids } = await readGolden("smollm2");
  strings.forEach((text: string, i: number) => {
    assertEquals(smollm2!.encode(text), ids[i], JSON.stringify(text));
  });
});

Deno.test("a tokenizer knows its special tokens", async () => {
  const tokenizer = await loadKind("llama3");
  assertEquals(
    [tokenizer.bosId, tokenizer.eosId, tokenizer.eosIds, tokenizer.vocabSize],
    [0, 1, [1], 488],
  );
  assertEquals(tokenizer.encode("a").length, 2);
  assertEquals(tokenizer.encode("a", { special: false }).length, 1);
  assertEquals(tokenizer.encode("<s>a"), tokenizer.encode("a"), "BOS stands once");
  assertEquals((await loadKind("byte_level")).bosId, null);
});

Deno.test("add_bos_token decides over the post-processor, as in transformers 5", async () => {
  assertEquals((await buildKind("llama3", { add_bos_token: false })).bosId, null);
  const added = await buildKind("byte_level", {
    add_bos_token: true,
    bos_token: { content: "<|im_start|>" },
  });
  assertEquals(added.bosId, 1);
  assertEquals(added.encode("a")[0], 1);
});

Deno.test("decode() takes nothing, unknown ids and special tokens", async () => {
  const tokenizer = await loadKind("llama3");
  const ids = [...tokenizer.encode("a b ."), tokenizer.eosId];
  assertEquals(tokenizer.decode([]), "");
  assertEquals(tokenizer.decode([999999]), "");
  assertEquals(tokenizer.decode(ids), "<s>a b .</s>");
  assertEquals(tokenizer.decode(ids, { skipSpecial: true }), "a b .");
});

Deno.test("applyChatTemplate() renders messages; EOS and BOS go by name", async () => {
  const messages = [{ role: "user", content: "Hi" }];
  const chat = await buildKind("byte_level", { chat_template: CHATML });
  assertEquals(
    chat.applyChatTemplate(messages, { addGenerationPrompt: true }),
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
  );
  const named = [{ name: "tool", template: "x" }, { name: "default", template: "{{eos_token}}!" }];
  assertEquals(
    (await buildKind("llama3", { chat_template: named })).applyChatTemplate(messages),
    "</s>!",
  );
});

Deno.test("loadTokenizer() names what is wrong, and where", async () => {
  const { json, folder } = await scratch();
  const text = await Deno.readTextFile(json);
  const file = JSON.parse(text);
  const cases: [object | string, RegExp][] = [
    ["{", /Cannot read ".*tokenizer\.json": not JSON/],
    [[], /wrong shape at the top level/],
    [
      { ...file, model: { type: "BPE", vocab: { a: "1" } } },
      /wrong shape at model\.vocab: expected/,
    ],
    [{ ...file, added_tokens: undefined }, /wrong shape at added_tokens/],
    [{ ...file, model: { ...file.model, type: "Mystery" } }, /wrong shape at model\.type/],
    [{ ...file, decoder: { type: "Mystery" } }, /Cannot build the tokenizer.*Mystery/],
    [
      {
        ...file,
        pre_tokenizer: { type: "Split", pattern: { String: " " }, behavior: "Contiguous" },
      },
      /splits with behavior "Contiguous", supported are Isolated, Removed, and MergedWithPrev/,
    ],
  ];
  for (const [content, message] of cases) {
    await Deno.writeTextFile(json, typeof content === "string" ? content : JSON.stringify(content));
    await assertUserError(() => loadTokenizer(folder), message);
  }
  await Deno.writeTextFile(json, text);
  await Deno.writeTextFile(`${folder}/tokenizer_config.json`, `{"eos_token": 7}`);
  await assertUserError(
    () => loadTokenizer(folder),
    /tokenizer_config\.json": wrong shape at eos_/,
  );
  await Deno.writeTextFile(`${folder}/tokenizer_config.json`, "{}");
  await assertUserError(
    () => loadTokenizer(folder),
    /no end-of-sequence token, wanted "eos_token"/,
  );
  await Deno.remove(json);
  await assertUserError(() => loadTokenizer(folder), /Cannot find ".*tokenizer\.json"/);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("loadTokenizer() finds EOS in generation_config.json, then in config.json", async () => {
  const { folder } = await scratch();
  await Deno.remove(`${folder}/tokenizer_config.json`);
  await Deno.writeTextFile(`${folder}/config.json`, `{"eos_token_id": 2}`);
  assertEquals((await loadTokenizer(folder)).eosId, 2);
  await Deno.writeTextFile(`${folder}/generation_config.json`, `{"eos_token_id": [1, 2]}`);
  const { eosId, eosIds } = await loadTokenizer(`${folder}/tokenizer.json`);
  assertEquals([eosId, eosIds], [1, [1, 2]]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("loadTokenizer() keeps every EOS of a Llama 3, its tokenizer's own first", async () => {
  const { folder } = await scratch();
  await Deno.writeTextFile(`${folder}/generation_config.json`, `{"eos_token_id": [7, 1, 9]}`);
  const { eosId, eosIds } = await loadTokenizer(folder);
  assertEquals([eosId, eosIds], [1, [1, 7, 9]]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a saved tokenizer loads again and encodes the same", async () => {
  const { folder } = await scratch();
  const built = await buildKind("llama3", { chat_template: CHATML });
  for (const [name, text] of Object.entries(built.files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
  const loaded = await loadTokenizer(folder);
  assertEquals(loaded.encode("denies chest pain"), built.encode("denies chest pain"));
  assertEquals(loaded.files, built.files);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("applyChatTemplate() passes on what a template refuses, and says where none is", async () => {
  const refuses = await buildKind("llama3", {
    chat_template: "{{ raise_exception('roles must alternate') }}",
  });
  await assertUserError(
    () => refuses.applyChatTemplate([]),
    /Cannot apply the chat template of "tokenizer\.json": roles must alternate/,
  );
  const broken = await buildKind("llama3", { chat_template: "{% if %}" });
  await assertUserError(() => broken.applyChatTemplate([]), /Cannot apply the chat template/);
  const none = await loadKind("llama3");
  await assertUserError(() => none.applyChatTemplate([]), /has no template/);
});

Deno.test("a token called __proto__ is a token like another", async () => {
  const tokenizer = JSON.parse(JSON.stringify(await readGolden("byte_level/tokenizer")));
  tokenizer.model.vocab = JSON.parse(
    `{"__proto__": 488, ${JSON.stringify(tokenizer.model.vocab).slice(1)}`,
  );
  const built = createTokenizer(
    { tokenizer, config: { eos_token: "<|im_end|>" } },
    "tokenizer.json",
  );
  assertEquals(built.decode([488]), "__proto__");
});

async function scratch() {
  const folder = await Deno.makeTempDir();
  for (const [name, text] of Object.entries((await loadKind("llama3")).files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
  return { folder, json: `${folder}/tokenizer.json` };
}

async function assertUserError(run: () => unknown, message: RegExp) {
  try {
    await run();
  } catch (error) {
    assert(error instanceof UserError, `${error}`);
    assert(message.test(error.message), error.message);
    return;
  }
  assert(false, `nothing was thrown, wanted ${message}`);
}
