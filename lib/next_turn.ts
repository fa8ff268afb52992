/** A longer work without a turn would let a person wait. */
const LONGEST_MS = 50;
let lastTurn = performance.now();

/**
 * Lets the event loop run now and then: timers, signals, a notebook's Stop button. TensorFlow's
 * kernels answer at once, so that a loop which only awaits tensors would never let anything else
 * happen. Only a timer makes the process look for signals; one each 50 ms costs at most 2 %.
 */
export async function nextTurn(): Promise<void> {
  if (performance.now() - lastTurn < LONGEST_MS) return;
  await new Promise((resolve) => setTimeout(resolve, 0));
  lastTurn = performance.now();
}
