import { join, normalize } from "node:path";
import {
  buildModels,
  type EncodedPair,
  encodePairs,
  loadTriplets,
  type Models,
  type ReadReport,
  splitTriplets,
  type Tokenizer,
  trainControl,
  trainDpo,
  type TrainEvent,
  type Triplet,
} from "../mod.ts";
import { chooseLosses } from "../lib/loss/loss_options.ts";
import { extraForwards } from "../lib/train/batch_losses.ts";
import { formatCount } from "../lib/format_count.ts";
import { freshPolicy } from "../lib/train/build_models.ts";
import { checkOutput } from "../lib/train/check_output.ts";
import { rowsOrigin } from "../lib/train/rows_origin.ts";
import { CONTROL_FOLDER } from "../lib/train/train_control.ts";
import { readRun } from "../report/read_run.ts";
import { dryRun } from "./cli/dry_run.ts";
import { liveReport } from "./cli/live_report.ts";
import { tensorboardLogger } from "./cli/log_tensorboard.ts";
import { runScript, type ScriptIo } from "./cli/run_script.ts";
import { encoderOf, noteBackend, noteReport } from "./cli/note_data.ts";
import { type NextCommand, runSummary } from "./cli/run_summary.ts";
import { showTraining } from "./cli/show_training.ts";
import { lossFlags, lossOptions } from "./cli/loss_flags.ts";
import { loopOptions, modelOptions, trainFlags } from "./cli/train_flags.ts";
import { reportFlags, writePairs, writeReport } from "./cli/write_report.ts";

const DEMO_TRAIN = "phase2_data/dpo/train_dpo.jsonl", DEMO_VAL = "phase2_data/dpo/val_dpo.jsonl";
/** Held-out pairs below which Chosen Preference says little. */
const FEW_JUDGES = 20;
await runScript({
  name: "train_dpo",
  summary: "Trains a LoRA adapter by Direct Preference Optimization on pairs of a better and a " +
    "worse answer, against a frozen Stage A model.",
  examples: [
    "--learning_rate 5e-6 --beta 0.1 --batch_size 4",
    "--learning_rate 1e-6 --beta 0.1 --batch_size 4",
    "--learning_rate 5e-6 --batch_size 2 --lora_r 8",
    "--loss_type sigmoid,sft --loss_weights 1,1",
    "--loss_type sigmoid,bco_pair,sft --loss_weights 0.8,0.2,1",
    "--control sft",
    "--resume",
    "--batch_size 8 --gradient_checkpointing --dry_run",
  ],
  flags: {
    sft_model_path: {
      type: "string",
      value: "PATH",
      default: "./models/sft_specialist/final_model",
      help: "Stage A: a model folder, a .gguf file or an adapter folder",
    },
    train_file: {
      type: "string",
      value: "FILE",
      default: DEMO_TRAIN,
      help: "Triplets: JSONL, .csv, .parquet",
    },
    val_file: {
      type: "string",
      value: "FILE",
      help: `Triplets to judge by (default: ${DEMO_VAL} for the default train_file, ` +
        "else a tenth of the training file)",
    },
    output_dir: {
      type: "string",
      value: "FOLDER",
      default: "./models/dpo_hallucination_resistant",
      help: "Where checkpoints and final_model go",
    },
    learning_rate: {
      type: "number",
      min: 0,
      default: 5e-6,
      help: "Highest rate of AdamW; above 1e-5 a model may collapse",
    },
    batch_size: { type: "integer", min: 1, default: 4, help: "Pairs in memory at once" },
    ...lossFlags,
    control: {
      type: "choice",
      choices: ["sft"] as const,
      help: "Afterwards trains the same adapter on the chosen answers alone (sft), with the same " +
        "pairs and steps, into output_dir/control_model: what DPO must be better than",
    },
    report_every: {
      type: "integer",
      min: 0,
      default: 30,
      help: "Rewrites report.html in output_dir every so many seconds; 0: at the end alone",
    },
    ...reportFlags,
    logging: {
      type: "choice",
      choices: ["tensorboard"] as const,
      help: "Writes event files for TensorBoard into output_dir/logs, too; on TensorFlow only",
    },
    ...trainFlags,
  },
  async main(flags, io) {
    const startedMs = performance.now(), loss = lossOptions(flags);
    chooseLosses(loss); // throws before anything is loaded
    const { train, validation, reports } = await loadData(flags, io);
    const encode = encoderOf(encodePairs, flags, io);
    const encodeBoth = (tokenizer: Tokenizer) => ({
      train: encode(tokenizer, train),
      validation: encode(tokenizer, validation),
    });
    if (flags.dry_run) {
      const what = { modelPath: flags.sft_model_path, encode: encodeBoth, noun: "pair" };
      const extra = extraForwards(loss, flags.gradient_accumulation_steps);
      await dryRun(flags, { ...what, extraForwards: extra }, io);
      if (flags.control) io.note("The control comes on top of that: at most the same time again.");
      return;
    }
    const sftModelPath = flags.sft_model_path;
    if (flags.control) await checkOutput(join(flags.output_dir, CONTROL_FOLDER), [sftModelPath]);
    using models = await buildModels({ sftModelPath, ...modelOptions(flags) });
    noteBackend(io);
    const { train: pairs, validation: held } = encodeBoth(models.tokenizer);
    const { length: judges } = held.rows;
    if (judges > 0 && judges < FEW_JUDGES) {
      const step = (100 / judges).toFixed(0);
      io.note(`Judging by ${formatCount(judges, "pair")}: each is ${step} % of Chosen Preference.`);
    }
    const run = {
      ...loopOptions(flags),
      checkpointing: flags.gradient_checkpointing,
      validation: held.rows,
      origin: {
        maxLength: flags.max_length,
        train: await rowsOrigin(reports[0], pairs),
        validation: await rowsOrigin(reports.at(-1)!, held),
      },
      signal: io.signal,
    };
    const shown = { size: pairs.rows.length, unit: "pairs" }, { output_dir: outputDir } = flags;
    const events = await watched(trainDpo(models, pairs.rows, { ...run, ...loss }), flags, io);
    const code = await showTraining(events, io, { ...shown, outputDir, method: "DPO" });
    if (code !== 0) return code;
    await reportRun(models, { triplets: validation, rows: held.rows }, flags, io);
    const summary = () => io.note(runSummary(startedMs, nextCommands(flags)));
    if (!flags.control) return summary();
    io.print(
      "\nThe control: the same adapter imitates the chosen answers, same pairs and steps.\n",
    );
    using control = freshPolicy(models, { seed: flags.seed });
    const controlCode = await showTraining(trainControl(control, pairs.rows, run), io, {
      ...shown,
      outputDir: join(outputDir, CONTROL_FOLDER),
      method: "Control",
    });
    if (controlCode === 0) summary();
    return controlCode;
  },
});

type WatchFlags = { output_dir: string; report_every: number; logging?: "tensorboard" };

/** A run's events, which keep its page and TensorBoard's files up to date as they pass. */
async function watched(
  events: AsyncIterable<TrainEvent>,
  flags: WatchFlags,
  io: ScriptIo,
): Promise<AsyncIterable<TrainEvent>> {
  const { output_dir: outputDir, report_every: everySeconds, logging } = flags;
  const logged = logging ? (await tensorboardLogger(outputDir))(events) : events;
  return liveReport(logged, { outputDir, everySeconds, settings: flags }, io);
}

/**
 * Reads held-out pairs with what was trained, and writes the page of the run that is over; without
 * pairs where their reading ends early, so that no browser goes on watching.
 */
async function reportRun(
  models: Models,
  pairs: { triplets: Triplet[]; rows: EncodedPair[] },
  { output_dir: outputDir, beta, report_pairs: most }: {
    output_dir: string;
    beta: number;
    report_pairs: number;
  },
  io: ScriptIo,
): Promise<void> {
  try {
    await writePairs(outputDir, models, { ...pairs, beta, most }, io);
  } finally {
    await writeReport(join(outputDir, "report.html"), [await readRun(outputDir)]);
  }
  io.note(`Report in ${join(outputDir, "report.html")}`);
}

function nextCommands(
  flags: { train_file: string; val_file?: string; output_dir: string },
): NextCommand[] {
  const model = join(flags.output_dir, "final_model");
  const evaluation = join(flags.output_dir, "evaluation/evaluation.json");
  const held = valFileOf(flags) ?? "HELD_OUT.jsonl";
  return [
    {
      what: "See what it writes, beside Stage A",
      script: "evaluate",
      args: ["--dpo_model_path", model, "--test_file", held, "--temperature", "1"],
    },
    {
      what: "Ask whether it is ready",
      script: "readiness",
      args: ["--run_dir", flags.output_dir, "--evaluation", evaluation],
    },
    {
      what: "Hand it on as a folder of its own",
      script: "merge_lora",
      args: ["--adapter_path", model, "--output_dir", join(flags.output_dir, "merged")],
    },
  ];
}

/** The file to judge by: the one that was named, or the embedded one beside the embedded pairs. */
function valFileOf(
  { train_file, val_file }: { train_file: string; val_file?: string },
): string | undefined {
  return val_file ?? (normalize(train_file) === DEMO_TRAIN ? DEMO_VAL : undefined);
}

async function loadData(
  flags: { train_file: string; val_file?: string; skip_invalid: boolean; seed: number },
  io: ScriptIo,
): Promise<{ train: Triplet[]; validation: Triplet[]; reports: ReadReport[] }> {
  const reports: ReadReport[] = [];
  const load = (path: string) =>
    loadTriplets(path, {
      skipInvalid: flags.skip_invalid,
      onReport(report) {
        reports.push(report);
        noteReport(report, io);
      },
    });
  const train = await load(flags.train_file);
  const valFile = valFileOf(flags);
  if (valFile !== undefined) return { train, validation: await load(valFile), reports };
  const split = splitTriplets(train, { fraction: 0.1, seed: flags.seed });
  io.note(
    `Keeping ${split.validation.length} of the ${train.length} pairs out of training, to judge by.`,
  );
  return { ...split, reports };
}
