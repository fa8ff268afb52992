import { dirname, join } from "node:path";
import {
  encodePairs,
  evaluateModels,
  type EvaluationRecord,
  evaluationRecord,
  loadModels,
  loadTestTriplets,
  openPolicy,
  UsageError,
  type Verdict,
  verdictOf,
} from "../mod.ts";
import { sampleRow } from "../lib/evaluate/evaluation_record.ts";
import { formatCount } from "../lib/format_count.ts";
import { sha256File } from "../lib/io/sha256_file.ts";
import { writeFileAtomic } from "../lib/io/write_atomic.ts";
import { tryToWrite } from "../lib/train/try_to_write.ts";
import { readRun } from "../report/read_run.ts";
import { evaluationTable, TABLE_NOTE } from "./cli/evaluation_table.ts";
import { findOverlap, findRun, hashPolicy } from "./cli/find_run.ts";
import { wrap } from "./cli/help_text.ts";
import { encoderOf, noteBackend, noteReport } from "./cli/note_data.ts";
import type { Progress } from "./cli/progress.ts";
import { runScript, type ScriptIo } from "./cli/run_script.ts";
import { backendFlags, writingFlags } from "./cli/train_flags.ts";
import { reportFlags, writePairs, writeReport } from "./cli/write_report.ts";

const DPO_MODEL = "./models/dpo_hallucination_resistant/final_model";

await runScript({
  name: "evaluate",
  summary:
    "Compares Stage A with what DPO made of it, and with the control where there is one, on " +
    "pairs that none of them was trained on: which answer they prefer, and what they write.",
  examples: [
    "--dpo_model_path models/dpo_hallucination_resistant/final_model",
    "--test_file held_out.jsonl --temperature 1 --samples 100 --output_dir models/evaluation",
  ],
  flags: {
    sft_model_path: {
      type: "string",
      value: "PATH",
      help: "Stage A (default: what the run was trained against, by its dpo_config.json)",
    },
    dpo_model_path: {
      type: "string",
      value: "PATH",
      default: DPO_MODEL,
      help:
        "What DPO trained: its adapter, or a folder or .gguf file that was made of it (then name " +
        "--sft_model_path too)",
    },
    control_model_path: {
      type: "string",
      value: "PATH",
      help: "The adapter that imitated the chosen answers (default: control_model/final_model " +
        "beside the DPO model, where train_dpo --control sft puts it)",
    },
    test_file: {
      type: "string",
      value: "FILE",
      default: "phase2_data/dpo/val_dpo.jsonl",
      help: "Triplets that were not trained on, JSONL; a row's kind names what was changed in it",
    },
    output_dir: {
      type: "string",
      value: "FOLDER",
      help: "Where evaluation.json, samples.jsonl, pairs.json and report.html go (default: " +
        "evaluation beside the DPO model)",
    },
    ...writingFlags,
    batch_size: {
      type: "integer",
      min: 1,
      help: "Pairs or texts in memory at once (default: 8 pairs, 16 texts)",
    },
    samples: {
      type: "integer",
      min: 1,
      help: "Writes for so many of the file's different prompts (default: for all)",
    },
    max_length: { type: "integer", min: 2, default: 1024, help: "Most tokens of a row" },
    skip_invalid: { type: "boolean", help: "Leaves bad rows out and counts them" },
    json: { type: "boolean", help: "Prints evaluation.json's content and nothing else" },
    ...reportFlags,
    ...backendFlags,
  },
  async main(flags, io) {
    const { dpo_model_path: dpoPath, test_file: testFile, max_length: maxLength } = flags;
    const outputDir = flags.output_dir ?? join(dirname(join(dpoPath, ".")), "evaluation");
    const { config, controlPath: found } = await findRun(dpoPath);
    await tryToWrite(outputDir, join(outputDir, "evaluation.json"));
    const sftPath = flags.sft_model_path ?? config?.reference.path;
    const controlPath = flags.control_model_path ?? found;
    if (sftPath === undefined) {
      throw new UsageError(
        `Cannot tell what to compare "${dpoPath}" with: it has no dpo_config.json that names ` +
          "Stage A; name it with --sft_model_path",
        { field: "sft_model_path" },
      );
    }
    const triplets = await loadTestTriplets(testFile, {
      skipInvalid: flags.skip_invalid,
      onReport: (report) => noteReport(report, io),
    });
    using sft = await loadModels({ modelPath: sftPath, backend: flags.backend });
    noteBackend(io);
    using dpo = await openPolicy(sft, dpoPath);
    using control = controlPath === undefined ? null : await openPolicy(sft, controlPath);
    const hashes = {
      sft_model: sft.source.hash,
      dpo_model: await hashPolicy(dpoPath, dpo),
      ...(control && { control_model: await hashPolicy(controlPath!, control) }),
      test_file: await sha256File(testFile),
    };
    const overlap = await findOverlap(config, { testHash: hashes.test_file, triplets });
    noteDoubts(overlap, {
      testFile,
      isOther: !!config && config.reference.sha256 !== sft.source.hash,
    }, io);
    if (!controlPath) io.note("No control: train_dpo --control sft trains one beside the run.");
    const { rows } = encoderOf(encodePairs, flags, io)(sft.tokenizer, triplets);
    const { seed, temperature, max_new_tokens: maxNewTokens, samples } = flags;
    const beta = config?.beta ?? 0.1;
    const show = progressOf(io);
    const evaluation = await evaluateModels({ sft, dpo, control: control ?? undefined }, triplets, {
      ...{ beta, maxLength, samples, seed, temperature, maxNewTokens, batchSize: flags.batch_size },
      ...{ skipInvalid: flags.skip_invalid, signal: io.signal, onProgress: show.update },
    }).finally(show.end);
    const record = evaluationRecord(evaluation, {
      ...{ hashes, overlap },
      settings: {
        ...{ sft_model_path: sftPath, dpo_model_path: dpoPath },
        ...{ control_model_path: controlPath ?? null, test_file: testFile, beta },
        ...{ max_length: maxLength, max_new_tokens: maxNewTokens, temperature, seed },
        samples: samples ?? null,
      },
    });
    const lines = evaluation.tasks.map((_, i) => JSON.stringify(sampleRow(evaluation, i)) + "\n");
    const json = JSON.stringify(record, null, 1) + "\n";
    await writeFileAtomic(join(outputDir, "samples.jsonl"), lines.join(""));
    await writeFileAtomic(join(outputDir, "evaluation.json"), json);
    if (flags.json) io.print(json.trimEnd());
    else {
      io.print(`\n${evaluationTable(record)}\n\n${TABLE_NOTE}\n`);
      io.print(`${inWords(verdictOf(record))}\n`);
    }
    await writePairs(outputDir, dpo, { triplets, rows, beta, most: flags.report_pairs }, io);
    const run = await readRun(dirname(join(dpoPath, ".")), join(outputDir, "evaluation.json"));
    await writeReport(join(outputDir, "report.html"), [run]);
    if (flags.json) return;
    io.print(`The numbers are in ${join(outputDir, "evaluation.json")}, what was written in`);
    io.print(`${join(outputDir, "samples.jsonl")}, and all of it to look at in`);
    io.print(join(outputDir, "report.html"));
  },
});

/** A progress line for each thing that is done, one after the other. */
function progressOf(io: ScriptIo) {
  let shown: { label: string; progress: Progress } | null = null;
  const end = () => shown?.progress.end();
  return {
    update(label: string, done: number, total: number) {
      if (shown?.label !== label) {
        end();
        const unit = label.endsWith("reads") ? "pairs" : "texts";
        shown = { label, progress: io.progress({ label, total, unit }) };
      }
      shown.progress.update({ done });
    },
    end,
  };
}

function noteDoubts(
  { same_file: isSame, prompts }: EvaluationRecord["overlap"],
  { testFile, isOther }: { testFile: string; isOther: boolean },
  io: ScriptIo,
): void {
  if (isOther) {
    io.note("Warning: DPO was trained against another Stage A than this one, by dpo_config.json.");
  }
  if (isSame) {
    io.note(`Warning: ${testFile} is the file that DPO was trained on: this proves nothing.`);
  } else if (prompts) {
    io.note(
      `Warning: ${formatCount(prompts, "prompt")} of ${testFile} stood in the training file too.`,
    );
  }
}

function inWords({ sentences }: Verdict): string {
  return sentences.map((text) => wrap(text, 0)).join("\n\n");
}
