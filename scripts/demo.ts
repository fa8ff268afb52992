import { join } from "node:path";
import {
  buildModels,
  type EncodedPair,
  encodePairs,
  generate,
  loadTriplets,
  type Models,
  trainControl,
  trainDpo,
  type TrainDpoOptions,
  type TrainEvent,
  useBackend,
} from "../mod.ts";
import { type UnseenNote, unseenNotes } from "../lib/data/embedded_data.ts";
import { formatScores } from "../lib/evaluate/format_scores.ts";
import { freshPolicy } from "../lib/train/build_models.ts";
import { writeFileAtomic } from "../lib/io/write_atomic.ts";
import { readRun } from "../report/read_run.ts";
import {
  DEMO_INTRODUCTION,
  DEMO_REASONS,
  demoExamples,
  demoInWords,
  scoreColumn,
  type Written,
} from "./cli/demo_report.ts";
import { demoResult } from "./cli/demo_result.ts";
import { runScript, type ScriptIo } from "./cli/run_script.ts";
import { showTraining } from "./cli/show_training.ts";
import { backendFlags } from "./cli/train_flags.ts";
import { writePairs, writeReport } from "./cli/write_report.ts";

const STAGE_A = "models/sft_specialist/final_model";
const TRIPLETS = "phase2_data/dpo/train_dpo.jsonl", VALIDATION = "phase2_data/dpo/val_dpo.jsonl";

/** What both methods train with; the rate is what 500 steps of a 0.9-million-parameter model need. */
const SETTINGS = {
  epochs: 1,
  batchSize: 8,
  learningRate: 3e-4,
  schedule: "linear",
  seed: 42,
} as const;
const ADAPTER = { rank: 16, alpha: 32, targetModules: ["all-linear"] };
/**
 * DPO compares sums over a summary's 35 tokens, the SFT term is a mean over them: at weight 1 it held
 * too little (15 % of the sampled summaries wrong, most of them no longer sentences), at 4 it does.
 */
const LOSS = {
  beta: 0.1,
  lossType: ["sigmoid", "sft"],
  lossWeights: [1, 4],
} satisfies TrainDpoOptions;
const LONGEST_SUMMARY = 64;
/** Without TensorFlow fewer pairs have to do, so that it is over in ten minutes. */
const FEWER_PAIRS = 2400;

await runScript({
  name: "demo",
  summary: "Trains on the embedded triplets and shows what changed in the summaries of unseen " +
    "notes, beside a control.",
  examples: ["", "--backend wasm"],
  flags: {
    output_dir: {
      type: "string",
      value: "FOLDER",
      default: "./models/demo",
      help: "Where the adapter goes",
    },
    ...backendFlags,
  },
  async main({ output_dir: outputDir, backend }, io) {
    const { name, version, device, faster } = await useBackend({ backend });
    io.note(`Computing with ${version} (${device})${faster ? `; faster: ${faster}` : ""}`);
    const all = await loadTriplets(TRIPLETS), notes = unseenNotes();
    const train = name === "tensorflow" ? all : all.slice(0, FEWER_PAIRS);
    if (train !== all) io.note(`Training on the first ${train.length} of ${all.length} pairs.`);
    io.print(`\n${DEMO_INTRODUCTION}\n`);
    using models = await buildModels({ sftModelPath: STAGE_A, ...ADAPTER, backend });
    const { rows } = encodePairs(models.tokenizer, train);
    const dpo = await runDpo(models, { rows, notes, outputDir, io });
    if (!dpo) return 130;
    io.print("\nThe control: the same model imitates the better summaries, same pairs and steps.");
    const control = await runControl(models, { rows, notes, io });
    if (!control) return 130;
    const columns = [
      scoreColumn("Stage A", notes, dpo.before),
      scoreColumn("DPO + SFT", notes, dpo.after),
      scoreColumn("SFT alone", notes, control),
    ];
    io.print(`\n${formatScores(columns)}\n`);
    io.print(`${demoInWords(columns)}\n`);
    io.print(`${DEMO_REASONS}\n`);
    io.print(demoExamples(notes, dpo));
    const result = JSON.stringify(demoResult(columns), null, 2);
    await writeFileAtomic(join(outputDir, "demo_result.json"), `${result}\n`);
    io.print(`Curves, and what it learned token by token: ${join(outputDir, "report.html")}`);
    io.print(`The adapter is in ${join(outputDir, "final_model")}; try it:`);
    io.print(tryIt(outputDir, notes[0].prompt));
  },
});

type Run = { rows: EncodedPair[]; notes: UnseenNote[]; io: ScriptIo };

async function runDpo(
  models: Models,
  { rows, notes, outputDir, io }: Run & { outputDir: string },
): Promise<{ before: Written; after: Written } | null> {
  const before = await write(models, notes, { io, adapter: false, label: "Stage A writes" });
  const triplets = await loadTriplets(VALIDATION);
  const validation = encodePairs(models.tokenizer, triplets).rows;
  const events = trainDpo(models, rows, {
    ...SETTINGS,
    ...LOSS,
    validation,
    outputDir,
    signal: io.signal,
  });
  const shown = { size: rows.length, unit: "pairs", outputDir, method: "DPO" } as const;
  if (await showTraining(expected(events), io, shown) !== 0) return null;
  const after = await write(models, notes, { io, adapter: true, label: "DPO + SFT writes" });
  const pairs = { triplets, rows: validation, beta: LOSS.beta, most: validation.length };
  await writePairs(outputDir, models, pairs, io);
  await writeReport(join(outputDir, "report.html"), [await readRun(outputDir)]);
  return { before, after };
}

/** Leaves out the warning about the rate, which the demo explains at its end. */
async function* expected(events: AsyncIterable<TrainEvent>): AsyncGenerator<TrainEvent> {
  for await (const event of events) {
    if (event.type !== "warning" || event.code !== "learning_rate") yield event;
  }
}

async function runControl(models: Models, { rows, notes, io }: Run): Promise<Written | null> {
  using control = freshPolicy(models, SETTINGS);
  const total = SETTINGS.epochs * rows.length;
  const progress = io.progress({ label: "SFT alone", total, unit: "summaries" });
  try {
    for await (const event of trainControl(control, rows, { ...SETTINGS, signal: io.signal })) {
      if (event.type === "step") progress.update({ done: event.step * SETTINGS.batchSize });
      if (event.type === "end" && event.reason === "aborted") return null;
    }
  } finally {
    progress.end();
  }
  return await write(control, notes, { io, adapter: true, label: "SFT alone writes" });
}

async function write(
  models: Models,
  notes: UnseenNote[],
  { io, adapter, label }: { io: ScriptIo; adapter: boolean; label: string },
): Promise<Written> {
  const prompts = notes.map((note) => note.prompt);
  const progress = io.progress({ label, total: 2 * notes.length, unit: "summaries" });
  const draw = (temperature: number, start: number) =>
    generate(models, prompts, {
      adapter,
      temperature,
      seed: SETTINGS.seed,
      maxNewTokens: LONGEST_SUMMARY,
      batchSize: 50,
      signal: io.signal,
      onProgress: (done) => progress.update({ done: start + done }),
    });
  try {
    return { greedy: await draw(0, 0), sampled: await draw(1, notes.length) };
  } finally {
    progress.end();
  }
}

function tryIt(outputDir: string, prompt: string): string {
  const note = prompt.replaceAll("\n", "\\n");
  return `  deno run -q -P=generate scripts/generate.ts --model_path ${STAGE_A} \\\n` +
    `    --adapter_path ${join(outputDir, "final_model")} --prompt $'${note}'`;
}
