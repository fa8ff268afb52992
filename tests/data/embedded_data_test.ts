import { assert, assertEquals } from "../../lib/std.ts";
import {
  EMBEDDED_SETS,
  embeddedExamples,
  embeddedPairs,
  unseenNotes,
} from "../../lib/data/embedded_data.ts";

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
