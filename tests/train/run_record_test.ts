/** What a run writes about itself, and that it can be checked from outside. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { loadTriplets } from "../../lib/data/load_triplets.ts";
import type { ReadReport } from "../../lib/data/read_rows.ts";
import { encodePairs } from "../../lib/tokenizer/encode_all.ts";
import { buildModels } from "../../lib/train/build_models.ts";
import { rowsOrigin } from "../../lib/train/rows_origin.ts";
import { trainDpo } from "../../lib/train/train_dpo.ts";
import { peakMemoryBytes } from "../../lib/train/guards.ts";
import { TRIPLETS, writeRows, writeTinyFolder } from "./tiny_folder.ts";
import { namesIn, run, VALIDATION } from "./tiny_runs.ts";

await useBackend({ backend: "cpu" });

const ROOT = await Deno.makeTempDir();
addEventListener("unload", () => Deno.removeSync(ROOT, { recursive: true }));
const at = (...names: string[]) => join(ROOT, ...names);
const readJson = async (...names: string[]) => JSON.parse(await Deno.readTextFile(at(...names)));
const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const sha256Of = async (...names: string[]) => sha256(await Deno.readFile(at(...names)));

const MAX_LENGTH = 50;
/** A good row, one that is cut, one that has no room for an answer, and two bad ones. */
const ROWS = [
  TRIPLETS[0],
  { ...TRIPLETS[1], chosen: " cough ".repeat(9) },
  { ...TRIPLETS[2], prompt: "knee pain. ".repeat(9) },
  { prompt: "no answers" },
  {},
];

/** Trains as train_dpo does, over files. */
async function trainFromFiles() {
  const paths = [
    await writeRows(at("train.jsonl"), ROWS),
    await writeRows(at("val.jsonl"), TRIPLETS.slice(3)),
  ];
  using models = await buildModels({ sftModelPath: await writeTinyFolder(at("model")), rank: 2 });
  const [train, validation] = await Promise.all(paths.map(async (path) => {
    let report!: ReadReport;
    const triplets = await loadTriplets(path, {
      skipInvalid: true,
      onReport: (found) => report = found,
    });
    const options = { maxLength: MAX_LENGTH, skipInvalid: true };
    const { rows, ...left } = encodePairs(models.tokenizer, triplets, options);
    return { rows, origin: await rowsOrigin(report, { rows, ...left }) };
  }));
  const origin = { maxLength: MAX_LENGTH, train: train.origin, validation: validation.origin };
  const options = { validation: validation.rows, origin, outputDir: at("out"), epochs: 1 };
  for await (const _ of trainDpo(models, train.rows, options));
  return { train: train.rows, validation: validation.rows, hash: models.source.hash };
}

const DPO_CONFIG_KEYS = [
  "beta",
  "loss_type",
  "loss_weights",
  "label_smoothing",
  "dpop_lambda",
  "discopop_tau",
  "f_divergence_type",
  "f_alpha_divergence_coef",
  "ld_alpha",
  "use_weighting",
  "num_epochs",
  "batch_size",
  "gradient_accumulation_steps",
  "learning_rate",
  "lr_scheduler",
  "warmup_ratio",
  "max_grad_norm",
  "weight_decay",
  "seed",
  "max_steps",
  "reference",
  "precision",
  "lora",
  "data_sha256",
  "validation_sha256",
  "tokenizer_sha256",
  "max_length",
  "gradient_checkpointing",
  "train_rows",
  "validation_rows",
];

const STATS_KEYS = [
  "settings",
  "versions",
  "backend",
  "steps_done",
  "pairs_per_second",
  "tokens_per_second",
  "elapsed_ms",
  "peak_memory_bytes",
  "epochs",
  "steps",
];

Deno.test("trainDpo() records settings, data and versions, with hashes that sha256sum gives", async () => {
  const { train, validation, hash } = await trainFromFiles();
  const config = await readJson("out", "final_model", "dpo_config.json");
  const stats = await readJson("out", "dpo_training_stats.json");
  assertEquals(Object.keys(config), DPO_CONFIG_KEYS);
  assertEquals(Object.keys(stats), STATS_KEYS);
  assertEquals(stats.settings, config);
  const { version } = JSON.parse(await Deno.readTextFile("deno.json"));
  assertEquals(Object.keys(stats.versions), ["dpo-kit", "deno", "tfjs"]);
  assertEquals(stats.versions["dpo-kit"], version);
  const lines = (rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join("");
  assertEquals(config.data_sha256, sha256(lines(train)));
  assertEquals(config.validation_sha256, sha256(lines(validation)));
  assertEquals(config.reference, { path: at("model"), sha256: hash });
  assertEquals(config.tokenizer_sha256, await sha256Of("out", "final_model", "tokenizer.json"));
  assertEquals([config.max_length, config.gradient_checkpointing], [MAX_LENGTH, false]);
  const file = async (name: string) => ({ path: at(name), sha256: await sha256Of(name) });
  const [trainFile, valFile] = [await file("train.jsonl"), await file("val.jsonl")];
  assertEquals(config.train_rows, { file: trainFile, used: 2, cut: 1, invalid: 2, dropped: 1 });
  assertEquals(config.validation_rows, { file: valFile, used: 2, cut: 0, invalid: 0, dropped: 0 });
});

Deno.test("trainDpo() leaves open what its caller didn't say of the rows", async () => {
  await run({ outputDir: at("plain"), maxSteps: 1, checkpointing: true, validation: undefined });
  const { settings } = await readJson("plain", "dpo_training_stats.json");
  assertEquals([settings.max_length, settings.gradient_checkpointing], [null, true]);
  const unsaid = { file: null, invalid: null, dropped: null };
  assertEquals(settings.train_rows, { ...unsaid, used: 10, cut: 0 });
  assertEquals([settings.validation_sha256, settings.validation_rows], [null, null]);
});

Deno.test("trainDpo() writes its numbers at each checkpoint, so that a killed run leaves them", async () => {
  const written: number[] = [], outputDir = at("each");
  await run({ outputDir, epochs: 2, saveSteps: 2 }, {
    watch(event) {
      if (event.type !== "checkpoint") return;
      const stats = JSON.parse(Deno.readTextFileSync(join(outputDir, "dpo_training_stats.json")));
      assertEquals(stats.steps.length, stats.steps_done);
      written.push(stats.steps_done);
    },
  });
  assertEquals(written, [2, 3, 4, 6]);
  assert(namesIn(outputDir).every((name) => !name.endsWith(".tmp")));
});

Deno.test("trainDpo() resumed keeps the peak memory of the process before it", async () => {
  const options = { outputDir: at("peak"), validation: VALIDATION };
  await run(options, { stopAfter: 2 });
  const path = at("peak", "checkpoint_step_2", "training_state.json");
  const state = JSON.parse(await Deno.readTextFile(path));
  assert(state.peakMemoryBytes > 0 && state.peakMemoryBytes <= peakMemoryBytes());
  const peakBytes = 2 ** 50;
  await Deno.writeTextFile(path, JSON.stringify({ ...state, peakMemoryBytes: peakBytes }));
  await run({ ...options, resumeFrom: "auto" });
  const stats = await readJson("peak", "dpo_training_stats.json");
  assertEquals(stats.peak_memory_bytes, peakBytes);
});
