import type { Random } from "../random.ts";

export type SampleTokenOptions = {
  /** Divides the logits: below 1 sharpens, above 1 flattens. */
  temperature: number;
  /** Draw only from the fewest tokens whose probabilities reach this sum (arXiv 1904.09751). */
  topP?: number;
};

/** Draws a token from `softmax(logits / temperature)`, cut to the nucleus `topP`. */
export function sampleToken(
  logits: Float32Array,
  random: Random,
  { temperature, topP = 1 }: SampleTokenOptions,
): number {
  let max = -Infinity;
  for (const logit of logits) max = Math.max(max, logit);
  const weights = new Float64Array(logits.length);
  let total = 0;
  for (let i = 0; i < logits.length; i++) {
    total += weights[i] = Math.exp((logits[i] - max) / temperature);
  }
  const floor = topP < 1 ? nucleusFloor(weights, topP * total) : 0;
  let kept = 0;
  for (const weight of weights) if (weight >= floor) kept += weight;
  let left = random.next() * kept, last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] < floor || weights[i] === 0) continue;
    last = i;
    if ((left -= weights[i]) < 0) break;
  }
  return last;
}

/** The smallest weight inside the nucleus. */
function nucleusFloor(weights: Float64Array, wanted: number): number {
  const sorted = weights.filter((weight) => weight > 0).sort().reverse();
  let sum = 0;
  for (const weight of sorted) if ((sum += weight) >= wanted) return weight;
  return 0;
}
