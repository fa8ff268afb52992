import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import dpoKit from "../../deno.json" with { type: "json" };
import tfjs from "@tensorflow/tfjs/package.json" with { type: "json" };
import { describeBackend } from "../backend/use_backend.ts";
import { UserError } from "../errors.ts";
import { readJsonObject } from "../io/read_json.ts";
import { writeFileAtomic } from "../io/write_atomic.ts";
import type { Models } from "./build_models.ts";
import { peakMemoryBytes } from "./guards.ts";
import { lossSettingsSchema } from "./loss_settings.ts";
import { hashJson } from "./reference_cache.ts";
import type { RowsOrigin, RunOrigin, TrainLoopOptions } from "./train_types.ts";
import type { TrainState } from "./train_state.ts";

/** `dpo_config.json`: what the saved policy was trained with and against. */
export const dpoConfigSchema = z.looseObject({
  ...lossSettingsSchema.shape,
  learning_rate: z.number(),
  reference: z.object({ path: z.string(), sha256: z.string() }),
  data_sha256: z.string(),
});

export type DpoConfig = z.infer<typeof dpoConfigSchema>;

/**
 * Reads a `dpo_config.json`.
 *
 * @throws {UserError} when it can't be read or lacks what {@link dpoConfigSchema} wants.
 */
export async function readDpoConfig(path: string): Promise<DpoConfig> {
  const parsed = dpoConfigSchema.safeParse(await readJsonObject(path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues, field = issue.path.join(".");
  throw new UserError(`Cannot read "${path}": "${field}": ${issue.message}`, { path, field });
}

/** What makes two runs the same one, from a run's settings: all but where the reference stands. */
export function runIdentity(
  { reference, ...settings }: ReturnType<typeof modelSettings>,
): Record<string, unknown> {
  return { ...settings, reference: reference.sha256 };
}

/** The settings of a loop under the names of the command line. */
export function loopSettings(
  loop: TrainLoopOptions,
): { learning_rate: number; [name: string]: unknown } {
  return {
    num_epochs: loop.epochs,
    batch_size: loop.batchSize,
    gradient_accumulation_steps: loop.gradientAccumulationSteps,
    learning_rate: loop.learningRate,
    lr_scheduler: loop.schedule,
    warmup_ratio: loop.warmupRatio,
    max_grad_norm: loop.maxGradNorm,
    weight_decay: loop.weightDecay,
    seed: loop.seed,
    max_steps: loop.maxSteps ?? null,
  };
}

/** The settings of what is trained. */
export function modelSettings(
  { source, adapter, network }: Models,
): { reference: DpoConfig["reference"]; [name: string]: unknown } {
  return {
    reference: { path: source.path, sha256: source.hash },
    precision: network.precision,
    lora: adapter && {
      r: adapter.config.rank,
      alpha: adapter.config.alpha,
      target_modules: adapter.config.targetModules,
      use_rslora: adapter.config.rsLora,
    },
  };
}

/** What a record tells beside the settings that make a run the same one. */
export function recordSettings(
  { tokenizer }: Models,
  { train, validation }: { train: Row[]; validation?: Row[] },
  { origin = {}, checkpointing = false }: { origin?: RunOrigin; checkpointing?: boolean },
): Record<string, unknown> {
  const tokenizerJson = tokenizer.files["tokenizer.json"];
  return {
    validation_sha256: validation ? hashJson(validation) : null,
    tokenizer_sha256: createHash("sha256").update(tokenizerJson).digest("hex"),
    max_length: origin.maxLength ?? null,
    gradient_checkpointing: checkpointing,
    train_rows: rowsRecord(train, origin.train),
    validation_rows: validation ? rowsRecord(validation, origin.validation) : null,
  };
}

type Row = { truncated?: number };

/** Counts of rows; null where a caller of the library didn't say. */
function rowsRecord(rows: Row[], origin: RowsOrigin | undefined): Record<string, unknown> {
  return {
    file: origin?.file ?? null,
    used: rows.length,
    cut: rows.filter(({ truncated }) => truncated).length,
    invalid: origin?.invalid ?? null,
    dropped: origin?.dropped ?? null,
  };
}

/** Writes a run's numbers: settings, versions, speed, memory, each step and each epoch. */
export async function writeStats(
  outputDir: string,
  { name, settings, state }: { name: string; settings: object; state: TrainState },
): Promise<void> {
  const { stepLog, epochLog, items, tokens, elapsedMs, step } = state;
  const stats = {
    settings,
    versions: { "dpo-kit": dpoKit.version, deno: Deno.version.deno, tfjs: tfjs.version },
    backend: describeBackend(),
    steps_done: step,
    pairs_per_second: 1000 * items / elapsedMs,
    tokens_per_second: 1000 * tokens / elapsedMs,
    elapsed_ms: elapsedMs,
    peak_memory_bytes: Math.max(state.peakMemoryBytes, peakMemoryBytes()),
    epochs: epochLog,
    steps: stepLog,
  };
  await writeFileAtomic(join(outputDir, name), JSON.stringify(stats, null, 1) + "\n");
}
