import { join } from "node:path";
import {
  buildModels,
  encodeExamples,
  loadExamples,
  type ReadReport,
  type Tokenizer,
  trainSft,
} from "../mod.ts";
import { rowsOrigin } from "../lib/train/rows_origin.ts";
import { encoderOf, noteBackend, noteReport } from "./cli/note_data.ts";
import { dryRun } from "./cli/dry_run.ts";
import { runScript } from "./cli/run_script.ts";
import { type NextCommand, runSummary } from "./cli/run_summary.ts";
import { showTraining } from "./cli/show_training.ts";
import { loopOptions, modelOptions, trainFlags } from "./cli/train_flags.ts";

await runScript({
  name: "train_sft",
  summary: "Stage A: teaches a model to write the completions of a file of prompts " +
    "(supervised fine-tuning), with a LoRA adapter or with all weights.",
  examples: [
    "--model_path models/SmolLM2-135M-Instruct --train_file data/sft.jsonl",
    "--model_path models/small --train_file data/sft.jsonl --all_weights --learning_rate 2e-3",
  ],
  flags: {
    model_path: {
      type: "string",
      value: "PATH",
      required: true,
      help: "The model to start from: a folder or a .gguf file",
    },
    train_file: {
      type: "string",
      value: "FILE",
      required: true,
      help: "Rows of a prompt and its answer, JSONL",
    },
    val_file: { type: "string", value: "FILE", help: "Rows to judge by at each epoch's end" },
    completion_key: {
      type: "string",
      value: "NAME",
      default: "completion",
      help: "The key of the answer to imitate; chosen for a triplets file",
    },
    output_dir: {
      type: "string",
      value: "FOLDER",
      default: "./models/sft",
      help: "Where checkpoints and final_model go",
    },
    all_weights: { type: "boolean", help: "Trains every weight and no adapter: small models" },
    learning_rate: { type: "number", min: 0, default: 2e-4, help: "Highest rate of AdamW" },
    batch_size: { type: "integer", min: 1, default: 8, help: "Rows in memory at once" },
    ...trainFlags,
  },
  async main(flags, io) {
    const startedMs = performance.now(), reports: ReadReport[] = [];
    const load = (path: string) =>
      loadExamples(path, {
        completionKey: flags.completion_key,
        skipInvalid: flags.skip_invalid,
        onReport(report) {
          reports.push(report);
          noteReport(report, io);
        },
      });
    const train = await load(flags.train_file);
    const validation = flags.val_file === undefined ? undefined : await load(flags.val_file);
    const encode = encoderOf(encodeExamples, flags, io);
    const encodeBoth = (tokenizer: Tokenizer) => ({
      train: encode(tokenizer, train),
      validation: validation && encode(tokenizer, validation),
    });
    if (flags.dry_run) {
      const what = { modelPath: flags.model_path, encode: encodeBoth, noun: "row" };
      return await dryRun(flags, { ...what, allWeights: flags.all_weights }, io);
    }
    using models = await buildModels({
      sftModelPath: flags.model_path,
      ...modelOptions(flags),
      allWeights: flags.all_weights,
    });
    noteBackend(io);
    const { train: rows, validation: held } = encodeBoth(models.tokenizer);
    const events = trainSft(models, rows.rows, {
      ...loopOptions(flags),
      checkpointing: flags.gradient_checkpointing,
      validation: held?.rows,
      origin: {
        maxLength: flags.max_length,
        train: await rowsOrigin(reports[0], rows),
        validation: held && await rowsOrigin(reports[1], held),
      },
      signal: io.signal,
    });
    const shown = { size: rows.rows.length, unit: "rows", outputDir: flags.output_dir };
    const code = await showTraining(events, io, { ...shown, method: "SFT" });
    if (code === 0) io.note(runSummary(startedMs, nextCommands(flags.output_dir)));
    return code;
  },
});

function nextCommands(outputDir: string): NextCommand[] {
  const model = join(outputDir, "final_model");
  return [
    {
      what: "Train Stage B from it",
      script: "train_dpo",
      args: ["--sft_model_path", model, "--train_file", "PAIRS.jsonl"],
    },
    {
      what: "Let it write",
      script: "generate",
      args: ["--model_path", model, "--file", "PAIRS.jsonl", "--num", "10"],
    },
    {
      what: "See whether it tells better from worse answers already",
      script: "score",
      args: ["--model_path", model, "--file", "PAIRS.jsonl"],
    },
  ];
}
