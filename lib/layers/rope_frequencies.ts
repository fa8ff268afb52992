/** How RoPE's angles are stretched, so that a model reads texts longer than it was first trained on. */
export type RopeScaling =
  | { type: "linear"; factor: number }
  | {
    type: "llama3";
    factor: number;
    lowFrequencyFactor: number;
    highFrequencyFactor: number;
    /** Positions before the stretching. */
    originalPositions: number;
  }
  | {
    type: "yarn";
    factor: number;
    originalPositions: number;
    betaFast: number;
    betaSlow: number;
    /** What both tables are multiplied by. */
    attentionFactor: number;
    /** Whether the ramp's ends are whole pairs. */
    truncate: boolean;
  };

/** Angle of a position step for each pair of a head's coordinates, `headDim / 2` of them. */
export function ropeFrequencies(
  headDim: number,
  theta: number | null,
  scaling?: RopeScaling,
): number[] {
  const half = headDim / 2;
  if (theta === null) return Array(half).fill(0); // a turn by nothing
  const plain = Array.from({ length: half }, (_, j) => theta ** (-j / half));
  switch (scaling?.type) {
    case undefined:
      return plain;
    case "linear":
      return plain.map((frequency) => frequency / scaling.factor);
    case "llama3":
      return plain.map((frequency) => llama3Frequency(frequency, scaling));
    case "yarn": {
      const kept = yarnKept(headDim, theta, scaling);
      return plain.map((frequency, j) => frequency * (kept[j] + (1 - kept[j]) / scaling.factor));
    }
  }
}

/** What a scaling multiplies cosines and sines by. */
export function ropeFactor(scaling?: RopeScaling): number {
  return scaling?.type === "yarn" ? scaling.attentionFactor : 1;
}

/**
 * Llama 3.1's stretching: slow turns by the factor, fast ones not at all, a ramp in between.
 *
 * **Source**: arXiv 2407.21783, section 3.4.2; the ramp as in Meta's `apply_scaling`.
 */
function llama3Frequency(
  frequency: number,
  { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalPositions }: Extract<
    RopeScaling,
    { type: "llama3" }
  >,
): number {
  const turns = originalPositions * frequency / (2 * Math.PI);
  if (turns > high) return frequency;
  if (turns < low) return frequency / factor;
  const kept = (turns - low) / (high - low);
  return frequency * (kept + (1 - kept) / factor);
}

/**
 * How much of each pair's own frequency YaRN keeps: all of those that turn more than `betaFast` times in
 * the first training's texts, nothing of those below `betaSlow`.
 *
 * **Source**: arXiv 2309.00071, section 3.2.
 */
function yarnKept(
  headDim: number,
  theta: number,
  { originalPositions, betaFast, betaSlow, truncate }: Extract<RopeScaling, { type: "yarn" }>,
): number[] {
  const pairThatTurns = (times: number) =>
    headDim * Math.log(originalPositions / (times * 2 * Math.PI)) / (2 * Math.log(theta));
  const ends = [pairThatTurns(betaFast), pairThatTurns(betaSlow)];
  if (truncate) [ends[0], ends[1]] = [Math.floor(ends[0]), Math.ceil(ends[1])];
  const low = Math.max(ends[0], 0), high = Math.min(ends[1], headDim - 1);
  const width = low === high ? 0.001 : high - low;
  return Array.from(
    { length: headDim / 2 },
    (_, j) => 1 - Math.min(1, Math.max(0, (j - low) / width)),
  );
}
