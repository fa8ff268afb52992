import { setImmediate } from "node:timers/promises";

/**
 * Lets the event loop run once: timers, signals, a notebook's Stop button. TensorFlow's kernels
 * answer at once, so that a loop which only awaits tensors would never let anything else happen.
 */
export async function nextTurn(): Promise<void> {
  await setImmediate();
}
