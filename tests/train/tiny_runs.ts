import { trainDpo, type TrainDpoOptions } from "../../lib/train/train_dpo.ts";
import type { TrainEvent } from "../../lib/train/train_types.ts";
import type { EncodedPair } from "../../lib/types.ts";
import { randomPairs, tinyModels } from "./tiny_models.ts";

export const PAIRS = randomPairs(10, 1), VALIDATION = randomPairs(4, 2);
/** Three epochs of three steps. */
export const SETTINGS: TrainDpoOptions = {
  batchSize: 2,
  gradientAccumulationSteps: 2,
  learningRate: 1e-2,
  epochs: 3,
  validation: VALIDATION,
};

/** What a run reported, and what it learned. */
export type Run = { events: TrainEvent[]; values: Float32Array[] };

/** What happens to a run while it runs, and another training set for it. */
export type RunOptions = {
  stopAfter?: number;
  watch?: (event: TrainEvent, stop: () => void) => void;
  pairs?: EncodedPair[];
};

/**
 * Runs until the end, or until `stopAfter` steps are done; `watch` sees each event as it comes, and
 * may stop the run then or later.
 */
export async function run(
  options: TrainDpoOptions,
  { stopAfter = Infinity, watch, pairs = PAIRS }: RunOptions = {},
): Promise<Run> {
  using models = await tinyModels();
  const controller = new AbortController(), events: TrainEvent[] = [];
  const signal = controller.signal;
  for await (const event of trainDpo(models, pairs, { ...SETTINGS, ...options, signal })) {
    events.push(event);
    watch?.(event, () => controller.abort());
    if (event.type === "step" && event.step === stopAfter) controller.abort();
  }
  return { events, values: models.trainable.values.map((values) => values.slice()) };
}

/** The events of one type. */
export function ofType<T extends TrainEvent["type"]>(
  events: TrainEvent[],
  type: T,
): Extract<TrainEvent, { type: T }>[] {
  return events.filter((event) => event.type === type) as Extract<TrainEvent, { type: T }>[];
}

/** The last epoch's losses, which hold the sums that a checkpoint carries over. */
export function lastLosses(events: TrainEvent[]): [train: number, validation: number] {
  const { train, validation } = ofType(events, "epoch").at(-1)!;
  return [train.loss, validation!.loss];
}

/** What stands in a folder. */
export function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

/** The checkpoints in a folder. */
export function checkpointsIn(folder: string): string[] {
  return namesIn(folder).filter((name) => name.startsWith("checkpoint"));
}

/** Each step's numbers but those that tell how fast it was. */
export function stepNumbers(events: TrainEvent[]): Record<string, number>[] {
  const [{ state }] = ofType(events, "end");
  return state.stepLog.map((step) => {
    const { pairs_per_second: _, tokens_per_second: __, ...numbers } = step;
    return numbers;
  });
}
