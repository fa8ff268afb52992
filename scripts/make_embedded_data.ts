import { writeFileAtomic } from "../lib/io/write_atomic.ts";
import {
  embeddedExamples,
  embeddedPairs,
  tokenizerTexts,
  unseenNotes,
} from "../lib/data/embedded_data.ts";
import { writeInitialModel } from "../lib/train/write_initial_model.ts";
import { runScript, type ScriptIo } from "./cli/run_script.ts";

const TRIPLETS = "phase2_data/dpo";
const EXAMPLES = "phase1_data/sft/train_sft.jsonl";
const INITIAL_MODEL = "phase1_data/initial_model";
const WEIGHT_SEED = 42;

/** The command that makes `models/sft_specialist/final_model` from what this script writes. */
const STAGE_A = `  deno run -q -P=train_sft scripts/train_sft.ts --model_path ${INITIAL_MODEL} \\
    --train_file ${EXAMPLES} --all_weights --batch_size 16 \\
    --learning_rate 1e-3 --lr_scheduler cosine --num_epochs 1 \\
    --output_dir models/sft_specialist`;

await runScript({
  name: "make_embedded_data",
  summary: "Makes what the embedded example is made from, the same bytes on every machine: the " +
    "triplets, and, for Stage A, its notes and the untrained model.",
  examples: [""],
  flags: {},
  async main(_flags, io) {
    const examples = [...embeddedExamples()];
    const sets = { train: embeddedPairs("train"), val: embeddedPairs("validation") };
    refuseOverlap([examples, sets.train, sets.val, unseenNotes()]);
    for (const [name, pairs] of Object.entries(sets)) {
      await writeLines(`${TRIPLETS}/${name}_dpo.jsonl`, pairs, io);
    }
    await writeLines(EXAMPLES, examples, io);
    await writeInitialModel(INITIAL_MODEL, { texts: tokenizerTexts(), seed: WEIGHT_SEED });
    io.print(`${INITIAL_MODEL}: tokenizer, configuration, untrained weights`);
    io.print(`No note stands in two sets. Stage A, about ten minutes on two cores:\n\n${STAGE_A}`);
  },
});

/** Stops where a note stands in two sets. */
function refuseOverlap(sets: { prompt: unknown }[][]): void {
  const seen = new Set<unknown>();
  for (const rows of sets) {
    const found = rows.find((row) => seen.has(row.prompt));
    if (found) throw new Error(`A note stands in two sets: ${found.prompt}`);
    rows.forEach((row) => seen.add(row.prompt));
  }
}

async function writeLines(path: string, rows: unknown[], io: ScriptIo): Promise<void> {
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  await writeFileAtomic(path, text);
  io.print(`${path}: ${rows.length} rows, ${(text.length / 1e6).toFixed(1)} MB`);
}
