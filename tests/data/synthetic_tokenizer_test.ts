import fc from "fast-check";
import { Tokenizer } from "@huggingface/tokenizers";
import { assert, assertEquals } from "../../lib/std.ts";
import { createRandom } from "../../lib/random.ts";
import { drawCase, writeNote, writeSummary } from "../../lib/data/synthetic_notes.ts";
import { trainNoteTokenizer } from "../../lib/data/synthetic_tokenizer.ts";

const random = createRandom(5);
const texts = Array.from({ length: 1500 }, () => {
  const facts = drawCase(random);
  return writeNote(facts, random) + writeSummary(facts);
});
const content = trainNoteTokenizer(texts);
const tokenizer = new Tokenizer(content, {});
/** As the project decodes: the library's default would take the space before a comma. */
const asWritten = { skip_special_tokens: true, clean_up_tokenization_spaces: false };
const decode = (ids: number[]) => tokenizer.decode(ids, asWritten);

Deno.test("trainNoteTokenizer() makes one token of each digit and each word of the notes", () => {
  const { tokens } = tokenizer.encode(" 54 year old woman with cough, on metformin 500 mg daily.");
  assertEquals(
    tokens.join("|"),
    "<s>|Ġ|5|4|Ġyear|Ġold|Ġwoman|Ġwith|Ġcough|,|Ġon|Ġmetformin|Ġ|5|0|0|Ġmg|Ġdaily|.",
  );
});

Deno.test("trainNoteTokenizer() gives a tokenizer that any text survives", () => {
  for (const text of texts.slice(0, 100)) assertEquals(decode(tokenizer.encode(text).ids), text);
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (text) => {
      assertEquals(decode(tokenizer.encode(text).ids), text);
    }),
    { examples: [[" , "]] },
  );
});

Deno.test("trainNoteTokenizer() gives the same file from the same texts", () => {
  assertEquals(JSON.stringify(trainNoteTokenizer(texts)), JSON.stringify(content));
});

Deno.test("trainNoteTokenizer() stays below 700 tokens on the notes", () => {
  const { vocab } = content.model as { vocab: Record<string, number> };
  assert(Object.keys(vocab).length <= 700, `${Object.keys(vocab).length} tokens`);
});
