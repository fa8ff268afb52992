import { assert, assertEquals } from "../../lib/std.ts";
import {
  EMBEDDED_SETS,
  embeddedExamples,
  embeddedPairs,
  tokenizerTexts,
  unseenNotes,
} from "../../lib/data/embedded_data.ts";
import { trainNoteTokenizer } from "../../lib/data/synthetic_tokenizer.ts";

const model = new URL("../../models/sft_specialist/final_model/", import.meta.url);
const folder = new URL("../../phase2_data/dpo/", import.meta.url);

for (const [set, name] of [["train", "train_dpo"], ["validation", "val_dpo"]] as const) {
  Deno.test(`embeddedPairs() gives what ${name}.jsonl holds`, async () => {
    const text = await Deno.readTextFile(new URL(`${name}.jsonl`, folder));
    const rows = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(rows.length, EMBEDDED_SETS[set].count);
    assertEquals(rows, embeddedPairs(set));
    assert(text.length < 2.5e6, `${text.length} bytes`);
  });
}

Deno.test("the embedded sets share no note", () => {
  const prompts = [
    ...embeddedPairs("train"),
    ...embeddedPairs("validation"),
    ...unseenNotes(),
    ...embeddedExamples().take(20_000),
  ].map((row) => row.prompt);
  assertEquals(new Set(prompts).size, prompts.length);
});

Deno.test("the embedded model's tokenizer is the one that its notes give", async () => {
  const text = await Deno.readTextFile(new URL("tokenizer.json", model));
  assertEquals(JSON.parse(text), trainNoteTokenizer(tokenizerTexts()));
});

Deno.test("the embedded model stays below 8 MB", async () => {
  const { size } = await Deno.stat(new URL("model.safetensors", model));
  assert(size < 8e6, `${size} bytes`);
});
