import { basename, join } from "node:path";
import { UserError } from "../mod.ts";
import { fileError } from "../lib/io/file_error.ts";
import { commandOf } from "./cli/help_text.ts";
import { runScript, type ScriptIo } from "./cli/run_script.ts";

const NOTES = 10;

await runScript({
  name: "real_run",
  summary: "Runs the whole chain on a real model and two tables of real notes, one script after " +
    "the other: fetch the model, make pairs, Stage A, DPO, then what changed on the second table.",
  examples: ["--train_table train.csv --val_table validation.csv"],
  flags: {
    train_table: {
      type: "string",
      value: "FILE",
      required: true,
      help: "CSV, JSONL or Parquet",
    },
    val_table: { type: "string", value: "FILE", required: true, help: "The same, held out" },
    prompt_column: { type: "string", value: "NAME", default: "dialogue", help: "Its column" },
    chosen_column: {
      type: "string",
      value: "NAME",
      default: "section_text",
      help: "The column of the note that people wrote from it",
    },
    num: { type: "integer", min: 1, default: 240, help: "Pairs to train on" },
    val_num: { type: "integer", min: 1, default: 40, help: "Pairs to judge by" },
    max_length: { type: "integer", min: 2, default: 640, help: "Longer pairs are left out" },
    model: {
      type: "string",
      value: "NAME",
      default: "SmolLM2-135M-Instruct",
      help: "What fetch_model fetches",
    },
    output_dir: {
      type: "string",
      value: "FOLDER",
      default: "models/real_run",
      help:
        "Where stage_a, dpo and what both write go; the pairs go into phase2_data under its name",
    },
    resume: { type: "boolean", help: "Goes on where the same run was stopped" },
  },
  async main(flags, io) {
    const stageA = join(flags.output_dir, "stage_a"), dpo = join(flags.output_dir, "dpo");
    const name = basename(flags.output_dir);
    const train_file = `phase2_data/${name}_train.jsonl`;
    const val_file = `phase2_data/${name}_val.jsonl`;
    const columns = { prompt_column: flags.prompt_column, chosen_column: flags.chosen_column };
    const length = { max_length: flags.max_length, skip_invalid: true };
    const model_path = `models/${flags.model.split("/").at(-1)}`;
    const go = (name: string, args: Arguments) => run(name, args, io);
    const resumed = async (folder: string): Promise<Arguments> =>
      flags.resume && await hasCheckpoint(folder) ? { resume: true } : {};

    const tables = [
      { source: flags.train_table, num: flags.num, output: train_file },
      { source: flags.val_table, num: flags.val_num, output: val_file },
    ];
    for (const { source } of tables) await wantFile(source); // an hour's run should not end at one
    await go("fetch_model", { model: flags.model, output_dir: model_path });
    for (const table of tables) await go("make_triplets", { ...table, ...columns });
    await go("train_sft", {
      model_path,
      ...{ train_file, val_file, completion_key: "chosen", output_dir: stageA },
      ...{ num_epochs: 1, batch_size: 4, gradient_accumulation_steps: 2, ...length },
      ...await resumed(stageA),
    });
    await go("train_dpo", {
      sft_model_path: join(stageA, "final_model"),
      ...{ train_file, val_file, output_dir: dpo },
      ...{ learning_rate: "5e-5", loss_type: "sigmoid,sft", ...length },
      ...await resumed(dpo),
    });
    for (const folder of [stageA, dpo]) {
      const trained = { model_path: join(folder, "final_model"), file: val_file };
      await go("score", { ...trained, ...length, output: join(folder, "scores.jsonl") });
      await go("generate", { ...trained, num: NOTES, output: join(folder, "notes.jsonl") });
    }
    io.print(await whatChanged(stageA, dpo));
  },
});

async function hasCheckpoint(folder: string): Promise<boolean> {
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  return entries.some(({ name }) => /^checkpoint_(epoch|step)_\d+$/.test(name));
}

async function wantFile(path: string): Promise<void> {
  try {
    if ((await Deno.stat(path)).isFile) return;
  } catch (error) {
    throw fileError(error, { action: "read", path });
  }
  throw new UserError(`Cannot read "${path}": it is a folder, wanted a file`, { path });
}

type Arguments = Record<string, string | number | boolean>;

/** Runs one script under its own permission set, as a person would. */
async function run(name: string, args: Arguments, io: ScriptIo): Promise<void> {
  const words = Object.entries(args).flatMap(([flag, value]) =>
    typeof value === "boolean" ? [`--${flag}`] : [`--${flag}`, String(value)]
  );
  io.note(`\n$ ${commandOf(name)} ${words.join(" ")}`);
  const { success, code } = await new Deno.Command("deno", {
    args: ["run", "-q", "--no-prompt", `-P=${name}`, `scripts/${name}.ts`, ...words],
    stdin: "null",
  }).spawn().status;
  if (io.signal.aborted) io.note("real_run itself goes on with --resume, too.");
  io.signal.throwIfAborted();
  if (!success) throw new UserError(`Cannot go on: ${name} ended with exit code ${code}`);
}

async function whatChanged(stageA: string, dpo: string): Promise<string> {
  const [before, after] = await Promise.all(
    [stageA, dpo].map((folder) => readRows<Score>(join(folder, "scores.jsonl"))),
  );
  const [notesBefore, notesAfter] = await Promise.all(
    [stageA, dpo].map((folder) => readRows<Note>(join(folder, "notes.jsonl"))),
  );
  const likelier = after.filter((row, i) => margin(row) > margin(before[i])).length;
  const mean = (rows: Score[], key: keyof Score) =>
    (rows.reduce((sum, row) => sum + row[key], 0) / rows.length).toFixed(1).padStart(10);
  const line = (name: string, rows: Score[]) =>
    `  ${name}${mean(rows, "logps_chosen")}${mean(rows, "logps_rejected")}`;
  const pairs = notesBefore.map((note, i) =>
    `Note ${i + 1}\n  Stage A: ${note.text.trim()}\n  DPO:     ${notesAfter[i].text.trim()}`
  );
  return [
    `On ${after.length} held-out pairs, mean log-probability in nats:`,
    "             chosen  rejected",
    line("Stage A", before),
    line("DPO    ", after),
    `DPO prefers the chosen answer more than Stage A did in ${likelier} of them.\n`,
    ...pairs,
  ].join("\n");
}

type Score = { logps_chosen: number; logps_rejected: number };
type Note = { text: string };

function margin(score: Score): number {
  return score.logps_chosen - score.logps_rejected;
}

async function readRows<T>(path: string): Promise<T[]> {
  const text = await Deno.readTextFile(path);
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}
