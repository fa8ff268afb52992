import type { Metrics, StepGradients, TrainEvent, TrainTask } from "./train_types.ts";
import type { TrainState } from "./train_state.ts";

/** Counts a step that was taken: into the run, into its epoch, into the log. */
export function record(
  state: TrainState,
  { metrics, weight, tokens }: StepGradients,
  { epoch, startedMs, items }: { epoch: number; startedMs: number; items: number },
): void {
  state.step++;
  state.tokens += tokens;
  state.items += items;
  state.elapsedMs += performance.now() - startedMs;
  state.epochWeight += weight;
  for (const [key, value] of Object.entries(metrics)) {
    state.epochSums[key] = (state.epochSums[key] ?? 0) + value * weight;
  }
  const speed = {
    pairs_per_second: 1000 * state.items / state.elapsedMs,
    tokens_per_second: 1000 * state.tokens / state.elapsedMs,
  };
  state.stepLog.push({ step: state.step, epoch, ...metrics, tokens, ...speed });
}

/**
 * Judges by the validation set, logs the epoch, and begins the next one's sums. Null when the user
 * stopped it: the sums stay as they are, so that a resumed run judges then.
 */
export async function endEpoch(
  task: TrainTask,
  state: TrainState,
  { epochs, stepsPerEpoch, signal }: {
    epochs: number;
    stepsPerEpoch: number;
    signal?: AbortSignal;
  },
): Promise<Extract<TrainEvent, { type: "epoch" }> | null> {
  const means = Object.entries(state.epochSums).map(([key, sum]) => [key, sum / state.epochWeight]);
  const train: Metrics = Object.fromEntries(means);
  const validation = await task.validate().catch((error) => {
    if (signal?.aborted && error === signal.reason) return "stopped" as const;
    throw error;
  });
  if (validation === "stopped") return null;
  const epoch = passesDone(state.step, stepsPerEpoch);
  // A trial's last epoch is judged where it ends: what goes on from there counts from there.
  const first_step = Number(state.epochLog.at(-1)?.step ?? 0) + 1;
  state.epochLog.push({ epoch, first_step, step: state.step, train, validation });
  state.epochSums = {};
  state.epochWeight = 0;
  return { type: "epoch", epoch, epochs, train, validation };
}

/** Passes over the data; never a whole number where the last one is not whole. */
function passesDone(step: number, stepsPerEpoch: number): number {
  const whole = Math.floor(step / stepsPerEpoch), part = step % stepsPerEpoch / stepsPerEpoch;
  return part === 0 ? whole : whole + Math.max(1, Math.floor(100 * part)) / 100;
}
