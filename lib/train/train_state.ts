import { basename, join } from "node:path";
import { z } from "zod";
import { describeBackend } from "../backend/use_backend.ts";
import { UserError } from "../errors.ts";
import { formatNumber } from "../format_number.ts";
import { readJsonObject } from "../io/read_json.ts";
import { openSafetensors } from "../io/safetensors.ts";
import { writeSafetensors } from "../io/write_safetensors.ts";
import { writeFileAtomic } from "../io/write_atomic.ts";
import { initAdamW } from "../optim/adamw.ts";
import type { TensorSource } from "../types.ts";
import type { Models } from "./build_models.ts";

/** Where a run stands beside its weights; the order of the data follows from the seed and the step. */
export type TrainState = {
  version: 1;
  /** Updates made. */
  step: number;
  /** Identity of data, model and settings: only an equal run, or a longer one, can go on from here. */
  run: Record<string, unknown>;
  /** What computed: another backend's numbers differ in their last digits. */
  backend: string;
  /** Sums of the epoch that is under way: what its block will show. */
  epochSums: Record<string, number>;
  epochWeight: number;
  tokens: number;
  items: number;
  elapsedMs: number;
  /** The most memory that a process of this run held. */
  peakMemoryBytes: number;
  stepLog: Record<string, number>[];
  epochLog: Record<string, unknown>[];
};

/** Where a run stands that has not begun. */
export function freshState(run: TrainState["run"]): TrainState {
  const zero = {
    epochSums: {},
    epochWeight: 0,
    tokens: 0,
    items: 0,
    elapsedMs: 0,
    peakMemoryBytes: 0,
  };
  return { version: 1, step: 0, run, backend: backendName(), ...zero, stepLog: [], epochLog: [] };
}

/** What computes, in words. */
export function backendName(): string {
  const { version, device, kernels } = describeBackend();
  return `${version}${kernels === "fused" ? " with dpo-kit's kernels" : ""} (${device})`;
}

const trainStateSchema: z.ZodType<TrainState> = z.object({
  version: z.literal(1),
  step: z.int().nonnegative(),
  run: z.record(z.string(), z.unknown()),
  backend: z.string(),
  epochSums: z.record(z.string(), z.number()),
  epochWeight: z.number(),
  tokens: z.number(),
  items: z.number(),
  elapsedMs: z.number(),
  peakMemoryBytes: z.number(),
  stepLog: z.array(z.record(z.string(), z.number())),
  epochLog: z.array(z.record(z.string(), z.unknown())),
});

const JSON_NAME = "training_state.json";
const TENSORS_NAME = "training_state.safetensors";

/** Writes what a resume needs into a checkpoint folder: state, trained numbers, moments. */
export async function writeTrainState(
  folder: string,
  models: Models,
  state: TrainState,
): Promise<void> {
  const { names, shapes, values } = models.trainable;
  const optimizer = models.optimizer ?? initAdamW(values);
  const groups = [
    ["parameter", values],
    ["first", optimizer.firstMoments],
    ["second", optimizer.secondMoments],
  ] as const;
  const tensors = groups.flatMap(([group, arrays]) =>
    arrays.map((data, i) => [`${group}/${names[i]}`, { shape: shapes[i], data }] as const)
  );
  await writeSafetensors(join(folder, TENSORS_NAME), tensors);
  await writeFileAtomic(join(folder, JSON_NAME), JSON.stringify(state));
}

/**
 * Reads a checkpoint back into the models and returns where the run stood. Where it throws, the
 * models are as they were.
 *
 * @throws {UserError} when the folder holds no complete checkpoint, or one of another run.
 */
export async function readTrainState(
  folder: string,
  models: Models,
  run: TrainState["run"],
): Promise<TrainState> {
  const state = await peekTrainState(folder, run), { values } = models.trainable;
  const tensors = await openSafetensors(join(folder, TENSORS_NAME));
  try {
    const read = (group: string) => readGroup(tensors, models, { group, folder });
    const [parameters, firstMoments, secondMoments] = [
      await read("parameter"),
      await read("first"),
      await read("second"),
    ];
    parameters.forEach((parameter, i) => values[i].set(parameter));
    models.optimizer = { step: state.step, firstMoments, secondMoments };
  } finally {
    tensors.close();
  }
  models.trainable.refresh();
  return state;
}

/** Reads one array for each thing that is trained. */
async function readGroup(
  tensors: TensorSource,
  { trainable: { names, shapes } }: Models,
  { group, folder }: { group: string; folder: string },
): Promise<Float32Array[]> {
  const arrays: Float32Array[] = [];
  for (const [i, name] of names.entries()) {
    const field = `${group}/${name}`, wanted = shapes[i].join(", ");
    const found = tensors.has(field) ? `[${tensors.shape(field).join(", ")}]` : "nothing";
    if (found !== `[${wanted}]`) {
      throw new UserError(
        `Cannot resume from "${folder}": "${field}" must be [${wanted}], found ${found}`,
        { path: folder, field },
      );
    }
    arrays.push(await tensors.read(field));
  }
  return arrays;
}

/**
 * Reads a checkpoint's state alone.
 *
 * @throws {UserError} when it can't be read, or is of another run than `run`.
 */
export async function peekTrainState(
  folder: string,
  run: TrainState["run"],
): Promise<TrainState> {
  const state = await parseTrainState(folder), difference = runDifference(state.run, run);
  if (difference === null) return state;
  throw new UserError(`Cannot resume from "${folder}": ${difference}`, { path: folder });
}

async function parseTrainState(folder: string): Promise<TrainState> {
  const path = join(folder, JSON_NAME);
  const parsed = trainStateSchema.safeParse(await readJsonObject(path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(`Cannot resume from "${path}": "${issue.path.join(".")}": ${issue.message}`, {
    path,
  });
}

/** Settings whose values tell a person nothing. */
const unlike: Record<string, string> = {
  data_sha256: "it was trained on other rows",
  reference: "it was trained over another model",
};
/** Settings that say when a run ends: it may go on beyond what was planned first. */
const LENGTH_SETTINGS = ["num_epochs", "max_steps"];

/** The first setting in which a checkpoint's run is another one, in words; null for the same run. */
export function runDifference(found: TrainState["run"], wanted: TrainState["run"]): string | null {
  for (const [key, value] of Object.entries(wanted)) {
    if (LENGTH_SETTINGS.includes(key)) continue;
    const [theirs, ours] = [found[key], value].map((setting) =>
      typeof setting === "number" ? formatNumber(setting) : JSON.stringify(setting)
    );
    if (theirs === ours) continue;
    return unlike[key] ?? `its ${key} is ${theirs}, this run's ${ours}`;
  }
  return null;
}

/** Whether two runs are the same one, in their length too. */
function isSameRun(found: TrainState["run"], wanted: TrainState["run"]): boolean {
  return runDifference(found, wanted) === null &&
    LENGTH_SETTINGS.every((key) => found[key] === wanted[key]);
}

/** A complete checkpoint, and where its run stood. */
export type FoundCheckpoint = { folder: string; state: TrainState };

/** The complete checkpoints of any run in a folder, the furthest last. */
export async function listCheckpoints(outputDir: string): Promise<FoundCheckpoint[]> {
  const found: FoundCheckpoint[] = [];
  for (const { name } of await Array.fromAsync(Deno.readDir(outputDir)).catch(() => [])) {
    if (!/^checkpoint_(epoch|step)_\d+$/.test(name)) continue;
    const folder = join(outputDir, name), state = await parseTrainState(folder).catch(() => null);
    if (state) found.push({ folder, state });
  }
  return found.sort((a, b) => a.state.step - b.state.step);
}

/** Removes a run's checkpoints between epochs up to `step`: the one named `keep` took their place. */
export async function removeStepCheckpoints(
  outputDir: string,
  { run, step, keep }: Pick<TrainState, "run" | "step"> & { keep: string },
): Promise<void> {
  for (const { folder, state } of await listCheckpoints(outputDir)) {
    const name = basename(folder), isOurs = isSameRun(state.run, run);
    const isReplaced = state.step <= step && name !== keep && name.startsWith("checkpoint_step_");
    if (isOurs && isReplaced) await Deno.remove(folder, { recursive: true });
  }
}
