import { lintTriplets, loadTokenizer, loadTriplets, UsageError } from "../mod.ts";
import { lintTable } from "./cli/lint_table.ts";
import { noteReport } from "./cli/note_data.ts";
import { runScript } from "./cli/run_script.ts";

await runScript({
  name: "lint_triplets",
  summary:
    "Looks for what makes triplets teach something else than they should: duplicates, pairs " +
    "turned round, prompts on both sides, a bias of length, answers that have little in common or " +
    "differ in spaces alone, rows that are too long, wrong decoding.",
  examples: [
    "--file phase2_data/dpo/train_dpo.jsonl --val_file phase2_data/dpo/val_dpo.jsonl",
    "--file phase2_data/dpo/train_dpo.jsonl --model_path models/sft_specialist/final_model " +
    "--max_length 256 --strict",
    "--file phase2_data/dpo/train_dpo.jsonl --json",
  ],
  flags: {
    file: { type: "string", value: "FILE", required: true, help: "The training triplets, JSONL" },
    val_file: { type: "string", value: "FILE", help: "The validation triplets, JSONL" },
    model_path: {
      type: "string",
      value: "FOLDER",
      help: "A model whose tokenizer counts tokens: a folder, a tokenizer.json or a .gguf",
    },
    max_length: {
      type: "integer",
      min: 2,
      help: "Most tokens of prompt and response together (default: 1024); needs --model_path",
    },
    min_similarity: {
      type: "number",
      min: 0,
      max: 1,
      default: 0.5,
      help: "Least likeness of a pair's answers: 1 - edits / characters of the longer",
    },
    skip_invalid: { type: "boolean", help: "Leaves bad rows out and counts them" },
    strict: {
      type: "boolean",
      help: "Ends with exit code 1 if anything but a hint was found, for a CI",
    },
    json: { type: "boolean", help: "Prints every check with all its rows as JSON" },
  },
  async main(flags, io) {
    const load = (path: string) =>
      loadTriplets(path, {
        skipInvalid: flags.skip_invalid,
        onReport: (report) => noteReport(report, io),
      });
    const { model_path: model, val_file: valFile } = flags;
    if (model === undefined && flags.max_length !== undefined) {
      throw new UsageError("--max_length counts tokens: name the model too (--model_path)");
    }
    const tokenizer = model === undefined ? undefined : await loadTokenizer(model);
    const train = await load(flags.file);
    const validation = valFile === undefined ? undefined : await load(valFile);
    const checks = lintTriplets(train, {
      validation,
      tokenizer,
      maxLength: flags.max_length,
      minSimilarity: flags.min_similarity,
    });
    const faults = checks.filter(({ isHint, rows }) => !isHint && rows !== null && rows.length > 0);
    const pairs = train.length + (validation?.length ?? 0);
    if (flags.json) {
      const list = checks.map(({ isHint, ...check }) => ({
        ...check,
        is_hint: isHint,
        count: check.rows?.length ?? null,
      }));
      io.print(JSON.stringify({ pairs, ok: faults.length === 0, checks: list }, null, 1));
    } else io.print(lintTable(checks, pairs));
    return flags.strict && faults.length > 0 ? 1 : 0;
  },
});
