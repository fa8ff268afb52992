import { Tokenizer as Library } from "@huggingface/tokenizers";
import fc from "fast-check";
import { assert, assertEquals } from "../../lib/std.ts";
import { memoizeWords } from "../../lib/tokenizer/memoize_words.ts";
import { adaptPreTokenizer, type TokenizerJson } from "../../lib/tokenizer/tokenizer_schema.ts";
import { kinds, readGolden } from "./fixtures.ts";
import { testUnless } from "../test_unless.ts";

/** `tokenizer.json` files that lead through the pipeline in other ways than the golden ones. */
const byteLevel = await readGolden("byte_level/tokenizer");
const pieces = Object.fromEntries(
  [..."abcdefghijklmnopqrstuvwxyz 1'.▁"].map((c, i) => [c, i + 1]),
);
const vocab = { "<unk>": 0, ...pieces, fever: 40, "##ver": 41, fe: 42, "▁no": 43, "##s": 44 };
const splitThenSpell = (Regex: string, behavior: string, add_prefix_space = false) => ({
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [
      { type: "Split", pattern: { Regex }, invert: false, behavior },
      { type: "ByteLevel", use_regex: false, add_prefix_space },
    ],
  },
});
const others: Record<string, object> = {
  "byte-level words with a space before": {
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: true, use_regex: true },
  },
  "a split that leaves gaps": splitThenSpell("\\s+", "Isolated"),
  "a split that takes out what it finds": splitThenSpell("\\s+", "Removed"),
  "a split that may match nothing": splitThenSpell("[\\s\\S]{0,2}", "Isolated", true),
  "added tokens that take spaces with them": {
    added_tokens: [
      { id: 0, content: "<|endoftext|>", special: true, lstrip: true, rstrip: true },
      { id: 1, content: "fever", special: false, lstrip: true },
    ],
    normalizer: { type: "NFKC" },
  },
  "WordPiece": {
    added_tokens: [],
    normalizer: { type: "Lowercase" },
    pre_tokenizer: { type: "BertPreTokenizer" },
    model: { type: "WordPiece", vocab, unk_token: "<unk>", continuing_subword_prefix: "##" },
  },
  "Unigram, unknown pieces joined": {
    added_tokens: [],
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "WhitespaceSplit" },
        { type: "Metaspace", replacement: "▁", prepend_scheme: "first" },
      ],
    },
    model: {
      type: "Unigram",
      unk_id: 0,
      vocab: Object.keys(vocab).map((token, i) => [token, -i / 7]),
    },
  },
};

const text = fc.array(
  fc.oneof(
    fc.constantFrom(
      ..."no fever,| fever|fevers |the patient|'s|  |\n|\t |\u0085|\uFEFF|1|½|Ⅷ".split("|"),
    ),
    fc.constantFrom("<|im_start|>", "<s>", "</s>", "<unk>", "<|endoftext|>", "<|im_end|", "▁no"),
    fc.constantFrom("👩‍⚕️", "🩺", "é", "e\u0301", "ﬁ", "漢字", "\uD83E", "\uDE7A", "a".repeat(70)),
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.string({ unit: "grapheme", maxLength: 6 }),
  ),
  { maxLength: 12 },
).map((parts) => parts.join(""));

/** The library as it is, and another whose words are kept. */
function bothOf(json: TokenizerJson): [Library, Library] {
  const pre_tokenizer = adaptPreTokenizer(json.pre_tokenizer, "tokenizer.json");
  const [plain, memoized] = [0, 1].map(() => new Library({ ...json, pre_tokenizer }, {}));
  memoizeWords(memoized);
  return [plain, memoized];
}

function assertSameTokens(json: TokenizerJson, numRuns: number) {
  const [plain, memoized] = bothOf(json);
  fc.assert(
    fc.property(text, (text) => {
      const wanted = plain.encode(text);
      assertEquals(memoized.encode(text), wanted);
      assertEquals(memoized.encode(text), wanted, "the second time, from the memo");
    }),
    { numRuns },
  );
}

for (const kind of kinds) {
  Deno.test(`memoizeWords() changes no token of any text: ${kind}`, async () =>
    assertSameTokens(await readGolden(`${kind}/tokenizer`), 200));
}

for (const [kind, changes] of Object.entries(others)) {
  Deno.test(`memoizeWords() changes no token of any text: ${kind}`, () =>
    assertSameTokens({ ...byteLevel, ...changes }, 200));
}

const SMOLLM2 = "models/SmolLM2-135M-Instruct/tokenizer.json";
const smollm2 = await Deno.readTextFile(SMOLLM2).catch(() => null);
testUnless(
  smollm2 === null && `${SMOLLM2} is not there`,
  "memoizeWords() changes no token of any text: SmolLM2",
  () => assertSameTokens(JSON.parse(smollm2!), 200),
);

Deno.test("memoizeWords() asks the model once for a word, but each time for a long one", () => {
  const { library, asked } = countWords();
  const text = `no fever no fever ${"a".repeat(99)}`;
  assertEquals(library.encode(text), library.encode(text));
  const long = `Ġ${"a".repeat(99)}`;
  assertEquals(asked, ["no", "Ġfever", "Ġno", long, long]);
});

Deno.test("memoizeWords() forgets everything when it is full", () => {
  const { library, asked } = countWords();
  const words = Array.from({ length: 6_000 }, (_, i) => ` ${"abc".repeat(20)}${letters(i)}`);
  const { ids } = library.encode(words.join(""));
  assertEquals(asked.length, words.length);
  assertEquals(library.encode(words.join("")).ids, ids);
  assert(asked.length > words.length, "the first words were still kept");
});

Deno.test("memoizeWords() takes a word of 100,000 letters", () => {
  const [plain, memoized] = bothOf(byteLevel);
  const word = "feverish".repeat(12_500);
  assertEquals(memoized.encode(word).ids, plain.encode(word).ids);
});

/** A library whose words are kept, and the words that its model was asked for. */
function countWords() {
  const [library] = bothOf(byteLevel), asked: string[] = [], model = library.model!;
  const encode = model.encode.bind(model);
  model.encode = (words) => {
    asked.push(...words);
    return encode(words);
  };
  memoizeWords(library);
  return { library, asked };
}

/** A number in letters, for digits would be words of their own. */
const letters = (n: number): string =>
  n.toString(26).replace(/\d/g, (d) => "qrstuvwxyz"[Number(d)]);
