/**
 * Makes what the embedded example needs, the same bytes on every machine: the triplets (committed),
 * the notes of Stage A and the untrained model (ignored by git, read once by train_sft.ts).
 */
import { writeFileAtomic } from "../lib/io/write_atomic.ts";
import {
  EMBEDDED_SETS,
  embeddedExamples,
  embeddedPairs,
  unseenNotes,
} from "../lib/data/embedded_data.ts";
import { writeInitialModel } from "../lib/train/write_initial_model.ts";

const TRIPLETS = "phase2_data/dpo";
const EXAMPLES = "phase1_data/sft/train_sft.jsonl";
const INITIAL_MODEL = "phase1_data/initial_model";
/** Enough notes for each word to occur; more would only take longer. */
const TOKENIZER_NOTES = 5000;
const WEIGHT_SEED = 42;

const examples = [...embeddedExamples()];
const prompts = new Set(examples.map((example) => example.prompt));

/** Stops where a note stands in two sets. */
function keepApart(name: string, rows: { prompt: string }[]): void {
  for (const { prompt } of rows) {
    if (prompts.has(prompt)) {
      throw new Error(`A note of "${name}" stands in another set: ${prompt}`);
    }
  }
  rows.forEach(({ prompt }) => prompts.add(prompt));
}

async function writeLines(path: string, rows: unknown[]): Promise<void> {
  const encoder = new TextEncoder();
  await writeFileAtomic(path, async (write) => {
    for (let start = 0; start < rows.length; start += 1000) {
      const lines = rows.slice(start, start + 1000).map((row) => `${JSON.stringify(row)}\n`);
      await write(encoder.encode(lines.join("")));
    }
  });
  const { size } = await Deno.stat(path);
  console.log(`${path}: ${rows.length} rows, ${(size / 1e6).toFixed(1)} MB`);
}

for (const set of ["train", "validation"] as const) {
  const pairs = embeddedPairs(set);
  keepApart(set, pairs);
  await writeLines(`${TRIPLETS}/${set === "train" ? "train" : "val"}_dpo.jsonl`, pairs);
}
keepApart("unseen", unseenNotes());
await writeLines(EXAMPLES, examples);

const texts = examples.slice(0, TOKENIZER_NOTES).map((e) => `${e.prompt}${e.completion}`);
await writeInitialModel(INITIAL_MODEL, { texts, seed: WEIGHT_SEED });
console.log(`${INITIAL_MODEL}: tokenizer, configuration and untrained weights`);
console.log(
  `No note stands in two sets; ${EMBEDDED_SETS.unseen.count} more are kept for the demo.`,
);
