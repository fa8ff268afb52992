import { dirname, join } from "node:path";
import { loadTriplets, type Models, type Triplet, UserError } from "../../mod.ts";
import type { EvaluationRecord } from "../../lib/evaluate/evaluation_schema.ts";
import { sha256File } from "../../lib/io/sha256_file.ts";
import { exists } from "../../lib/train/load_source.ts";
import { type DpoConfig, readDpoConfig } from "../../lib/train/run_record.ts";
import { CONTROL_FOLDER } from "../../lib/train/train_control.ts";

/** What lies beside a trained policy. */
export type FoundRun = {
  /** `dpo_config.json`; null where it isn't there. */
  config: DpoConfig | null;
  /** The control of the same run. */
  controlPath?: string;
};

/**
 * Looks for the record and the control of the run that a policy's folder belongs to. A whole model has
 * neither.
 *
 * @throws {UserError} when nothing stands there that could be a policy.
 */
export async function findRun(policyPath: string): Promise<FoundRun> {
  const isAdapter = (folder: string) => exists(join(folder, "adapter_config.json"));
  if (!await isAdapter(policyPath)) {
    await refuseUnfinished(policyPath);
    if (await isWhole(policyPath)) return { config: null };
    const inside = join(policyPath, "final_model");
    const hint = await isAdapter(inside) ? `; did you mean "${inside}"?` : "";
    throw new UserError(
      `Cannot evaluate "${policyPath}": wanted a folder with adapter_config.json, a merged model's ` +
        `folder or a .gguf file${hint}`,
      { path: policyPath, field: "dpo_model_path" },
    );
  }
  const path = join(policyPath, "dpo_config.json");
  const controlPath = join(dirname(join(policyPath, ".")), CONTROL_FOLDER, "final_model");
  return {
    config: await exists(path) ? await readDpoConfig(path) : null,
    controlPath: await isAdapter(controlPath) ? controlPath : undefined,
  };
}

const isWhole = async (path: string) =>
  path.endsWith(".gguf") ? await exists(path) : await exists(join(path, "config.json"));

/** Refuses a run's folder, or a path in it, where the run has begun and left no model yet. */
async function refuseUnfinished(path: string): Promise<void> {
  for (const runDir of [dirname(join(path, ".")), path]) {
    const model = join(runDir, "final_model");
    const hasBegun = await exists(join(runDir, "dpo_training_stats.json"));
    if (!hasBegun || await exists(model)) continue;
    throw new UserError(
      `Cannot read "${model}": it is missing, as where a run isn't finished; ` +
        "the same train_dpo command with --resume goes on",
      { path: model },
    );
  }
}

/** The hash of an adapter's weights, as the file that is read holds them. */
export async function hashAdapterFile(folder: string): Promise<string> {
  await refuseUnfinished(folder);
  const path = join(folder, "adapter_model.safetensors");
  return await sha256File(await exists(path) ? path : join(folder, "adapter_model.bin"));
}

/** The hash of a policy's weights: of an adapter's file, or of a whole model. */
export async function hashPolicy(path: string, { source }: Models): Promise<string> {
  const isAdapter = await exists(join(path, "adapter_config.json"));
  return isAdapter ? await hashAdapterFile(path) : source.hash;
}

/** Whether a run was trained on what it is judged by; null where that can't be told. */
export async function findOverlap(
  config: DpoConfig | null,
  { testHash, triplets }: { testHash: string; triplets: readonly Triplet[] },
): Promise<EvaluationRecord["overlap"]> {
  const file = trainFile(config);
  if (!file) return { same_file: null, prompts: null };
  if (file.sha256 === testHash) return { same_file: true, prompts: countPrompts(triplets) };
  const isHere = await exists(file.path) && await sha256File(file.path) === file.sha256;
  if (!isHere) return { same_file: false, prompts: null };
  const trained = await loadTriplets(file.path, { skipInvalid: true });
  const seen = new Set(trained.map(({ prompt }) => JSON.stringify(prompt)));
  const shared = triplets.filter(({ prompt }) => seen.has(JSON.stringify(prompt)));
  return { same_file: false, prompts: countPrompts(shared) };
}

const countPrompts = (triplets: readonly Triplet[]) =>
  new Set(triplets.map(({ prompt }) => JSON.stringify(prompt))).size;

type TrainFile = { path: string; sha256: string };

function trainFile(config: DpoConfig | null): TrainFile | undefined {
  const rows = config?.train_rows as { file?: TrainFile | null } | undefined;
  return rows?.file ?? undefined;
}
