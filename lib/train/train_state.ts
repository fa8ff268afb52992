import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { readJsonObject } from "../io/read_json.ts";
import { openSafetensors, writeSafetensors } from "../io/safetensors.ts";
import { writeFileAtomic } from "../io/write_atomic.ts";
import { initAdamW } from "../optim/adamw.ts";
import type { Models } from "./build_models.ts";

/** Where a run stands; the order of the data follows from the seed and the step. */
export const trainStateSchema = z.object({
  version: z.literal(1),
  /** Updates made. */
  step: z.int().nonnegative(),
  /** Identity of data, model and settings: only an equal run can go on from here. */
  run: z.record(z.string(), z.unknown()),
  /** Sums of the epoch that is under way: what its block will show. */
  epochSums: z.record(z.string(), z.number()),
  epochWeight: z.number(),
  tokens: z.number(),
  items: z.number(),
  elapsedMs: z.number(),
  stepLog: z.array(z.record(z.string(), z.number())),
  epochLog: z.array(z.record(z.string(), z.unknown())),
});

export type TrainState = z.infer<typeof trainStateSchema>;

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
 * Reads a checkpoint back into the models and returns where the run stood.
 *
 * @throws {UserError} when the folder holds no complete checkpoint, or one of another run.
 */
export async function readTrainState(
  folder: string,
  models: Models,
  run: TrainState["run"],
): Promise<TrainState> {
  const state = await peekTrainState(folder);
  for (const [key, wanted] of Object.entries(run)) {
    if (JSON.stringify(wanted) === JSON.stringify(state.run[key])) continue;
    throw new UserError(
      `Cannot resume from "${folder}": its ${key} is ${JSON.stringify(state.run[key])}, ` +
        `this run's ${JSON.stringify(wanted)}`,
      { path: folder, field: key },
    );
  }
  const { names, values } = models.trainable, optimizer = initAdamW(values);
  const groups = {
    parameter: values,
    first: optimizer.firstMoments,
    second: optimizer.secondMoments,
  };
  const tensors = await openSafetensors(join(folder, TENSORS_NAME));
  try {
    for (const [group, arrays] of Object.entries(groups)) {
      for (const [i, array] of arrays.entries()) {
        array.set(await tensors.read(`${group}/${names[i]}`));
      }
    }
  } finally {
    tensors.close();
  }
  models.optimizer = { ...optimizer, step: state.step };
  models.trainable.refresh();
  return state;
}

/** Reads a checkpoint's state alone. */
export async function peekTrainState(folder: string): Promise<TrainState> {
  const path = join(folder, JSON_NAME);
  const parsed = trainStateSchema.safeParse(await readJsonObject(path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(`Cannot resume from "${path}": "${issue.path.join(".")}": ${issue.message}`, {
    path,
  });
}

/**
 * The furthest checkpoint in a run's folder, or null where there is none.
 */
export async function findCheckpoint(outputDir: string): Promise<string | null> {
  let best: { folder: string; step: number } | null = null;
  const entries = await Array.fromAsync(Deno.readDir(outputDir)).catch(() => []);
  for (const { name } of entries) {
    if (!/^checkpoint_(epoch|step)_\d+$/.test(name)) continue;
    const folder = join(outputDir, name);
    const state = await peekTrainState(folder).catch(() => null);
    if (state && (!best || state.step > best.step)) best = { folder, step: state.step };
  }
  return best && best.folder;
}
