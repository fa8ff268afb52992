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

/** Judges by the validation set, logs the epoch, and begins the next one's sums. */
export async function endEpoch(
  task: TrainTask,
  state: TrainState,
  { epoch, epochs }: { epoch: number; epochs: number },
): Promise<TrainEvent> {
  const means = Object.entries(state.epochSums).map(([key, sum]) => [key, sum / state.epochWeight]);
  const train: Metrics = Object.fromEntries(means);
  const validation = await task.validate();
  state.epochLog.push({ epoch, step: state.step, train, validation });
  state.epochSums = {};
  state.epochWeight = 0;
  return { type: "epoch", epoch, epochs, train, validation };
}
