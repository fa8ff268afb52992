import { join } from "node:path";
import { readEvaluation, UserError } from "../mod.ts";
import { exists } from "../lib/train/load_source.ts";
import { readRun } from "../report/read_run.ts";
import type { RunView } from "../report/run_view.ts";
import { hashAdapterFile } from "./cli/find_run.ts";
import { tryOutput } from "./cli/print_or_write.ts";
import { runScript, type ScriptIo } from "./cli/run_script.ts";
import { writeReport } from "./cli/write_report.ts";

await runScript({
  name: "report",
  summary: "Writes a page about a DPO run: its curves, its pairs token by token, what the model " +
    "writes and whether it is ready. The page is one file that needs no server and no network.",
  examples: [
    "--run_dir models/dpo_hallucination_resistant",
    "--run_dir models/judged --compare models/dpo_hallucination_resistant --output models/two.html",
  ],
  flags: {
    run_dir: {
      type: "string",
      value: "FOLDER",
      default: "./models/dpo_hallucination_resistant",
      help: "What train_dpo wrote",
    },
    evaluation: {
      type: "string",
      value: "FILE",
      help: "What evaluate wrote of it (default: evaluation/evaluation.json in run_dir)",
    },
    compare: { type: "string", value: "FOLDER", help: "Another run, shown beside it" },
    output: { type: "string", value: "FILE", help: "The page (default: report.html in run_dir)" },
  },
  async main({ run_dir: runDir, evaluation, compare, output = join(runDir, "report.html") }, io) {
    const run = await readRun(runDir, evaluation ?? await findEvaluation(runDir, io));
    if (evaluation !== undefined) await checkModel(runDir, evaluation);
    const other = compare === undefined
      ? undefined
      : await readRun(compare, await findEvaluation(compare, io));
    await tryOutput(output);
    await writeReport(output, [run, other]);
    io.print(`The report is in ${output}`);
    noteMissing(run, io);
  },
});

/** The evaluation in a run's own folder, if it is of the run's model. */
async function findEvaluation(runDir: string, io: ScriptIo): Promise<string | undefined> {
  const path = join(runDir, "evaluation", "evaluation.json");
  if (!await exists(path)) return undefined;
  if (await isOf(runDir, path)) return path;
  io.note(`Warning: ${path} evaluated another model than this run's; it is left out.`);
}

async function checkModel(runDir: string, path: string): Promise<void> {
  if (await isOf(runDir, path)) return;
  throw new UserError(
    `Cannot report on "${runDir}" with "${path}": that evaluated another model than the one in ` +
      `"${join(runDir, "final_model")}"; evaluate this one`,
    { path, field: "hashes.dpo_model" },
  );
}

async function isOf(runDir: string, path: string): Promise<boolean> {
  const { hashes } = await readEvaluation(path), policy = join(runDir, "final_model");
  return await exists(policy) && hashes.dpo_model === await hashAdapterFile(policy);
}

function noteMissing({ evaluation, pairs }: RunView, io: ScriptIo): void {
  if (!evaluation) io.note("What the model writes is not in it: run scripts/evaluate.ts first.");
  if (!pairs) io.note("No pairs are in it: scripts/evaluate.ts reads them.");
}
