import fc from "fast-check";
import { assert, assertEquals } from "../../lib/std.ts";
import { loadTokenizer } from "../../lib/tokenizer/load_tokenizer.ts";
import { tokenTexts } from "../../lib/tokenizer/token_texts.ts";

Deno.test("tokenTexts() gives texts that joined are the decoded text, whatever the tokenizer", async () => {
  for (const name of ["byte_level", "byte_fallback", "llama3"]) {
    const tokenizer = await loadTokenizer(`tests/golden/tokenizers/${name}`);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 12 }), (text) => {
        const ids = tokenizer.encode(text), texts = tokenTexts(tokenizer, ids);
        assertEquals(texts.length, ids.length);
        assertEquals(texts.join(""), tokenizer.decode(ids));
      }),
      { numRuns: 60, seed: 7 },
    );
  }
});

Deno.test("tokenTexts() lets the last token of a character bring it, and shows bytes that end no text", async () => {
  const tokenizer = await loadTokenizer("tests/golden/tokenizers/byte_level");
  const ids = tokenizer.encode("a\u{1F912}b", { special: false }),
    texts = tokenTexts(tokenizer, ids);
  assert(ids.length > 3);
  assertEquals(texts.filter(Boolean), ["a", "\u{1F912}", "b"]);
  const cut = tokenTexts(tokenizer, ids.slice(0, 3));
  assertEquals(cut.slice(0, 2), ["a", ""]);
  assert(cut[2].includes("\uFFFD"));
  assertEquals(tokenTexts(tokenizer, []), []);
});
