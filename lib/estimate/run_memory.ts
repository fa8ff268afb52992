import { alignedRows } from "../backend/aligned_rows.ts";
import { headRowsAtOnce } from "../layers/head.ts";
import { targetedLinears } from "../model/block_modules.ts";
import type { ModelConfig } from "../model/model_config.ts";
import type { Precision } from "../model/network.ts";
import { weightShapes } from "../model/weight_shapes.ts";
import type { TrainedParts } from "./pass_flops.ts";
import { passNumbers } from "./pass_memory.ts";

/** Memory by what takes it, in bytes. */
export type RunMemory = {
  /** The model, as it rests while training. */
  weights: number;
  /** What is trained: numbers, gradients, the optimiser's moments, copies on the backend. */
  trained: number;
  /** What the largest batch keeps for its backward pass, and one layer's working tensors. */
  activations: number;
  /** Logits, a chunk of rows at a time, and in `bf32` the head's matrix as it is multiplied. */
  logits: number;
  /** This process: Deno, the backend's library, the rows. */
  runtime: number;
  /** All together, or what loading takes where that is more; an estimate counts its own start too. */
  peak: number;
};

export type RunMemoryOptions = {
  trained: TrainedParts;
  precision: Precision;
  checkpointing: boolean;
  runtime: number;
};

/** A row's size: tokens as laid out, and how many of them predict. */
export type RowSize = { tokens: number; predicting: number };

const FLOAT = 4, HALF = 2;
/** Numbers, the sum of gradients, two moments; numbers and gradients on the backend. */
const TRAINED_COPIES = 6;
/** Logits, their gradient, the kernel's own. */
const LOGITS_COPIES = 3;

/** How many numbers are frozen, and how many are trained. */
export function countParameters(
  config: ModelConfig,
  trained: TrainedParts,
): { frozen: number; trained: number } {
  const shapes = [...weightShapes(config).values()];
  const all = shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b), 0);
  if (trained === "all") return { frozen: 0, trained: all };
  const { rank, targetModules } = trained;
  const widths = targetedLinears(config, targetModules).linears.flatMap(({ shape }) => shape);
  return { frozen: all, trained: config.layers * rank * widths.reduce((a, b) => a + b, 0) };
}

/** What a run whose batches have rows of these sizes holds at its peak. */
export function runMemory(
  config: ModelConfig,
  batches: RowSize[][],
  { trained, precision, checkpointing, runtime }: RunMemoryOptions,
): RunMemory {
  const shapes = [...weightShapes(config).values()];
  const bytes = (matrix: number) =>
    shapes.reduce(
      (sum, shape) => sum + shape.reduce((a, b) => a * b) * (shape.length === 2 ? matrix : FLOAT),
      0,
    );
  const weights = bytes(precision === "bfloat16" ? HALF : FLOAT);
  const rounded = precision === "bf32" ? HALF * config.vocabSize * config.hiddenSize : 0;
  const copies = trained === "all" ? TRAINED_COPIES - 1 : TRAINED_COPIES;
  const own = countParameters(config, trained).trained * FLOAT * copies;
  const numbers = batches.map((rows) => batchNumbers(config, rows, { trained, checkpointing }));
  const largest = numbers.reduce((a, b) =>
    a.activations + a.logits < b.activations + b.logits ? b : a
  );
  const [activations, chunk] = [largest.activations, largest.logits]
    .map((numbers) => FLOAT * Math.round(numbers));
  const logits = chunk + rounded;
  const training = weights + own + activations + logits;
  const loading = bytes(FLOAT);
  return {
    weights,
    trained: own,
    activations,
    logits,
    runtime,
    peak: runtime + Math.max(training, loading),
  };
}

function batchNumbers(
  config: ModelConfig,
  rows: RowSize[],
  options: { trained: TrainedParts; checkpointing: boolean },
): { activations: number; logits: number } {
  const { vocabSize, hiddenSize } = config;
  let activations = 0, predicting = 0, tokens = 0;
  for (const row of rows) {
    const { kept, passing } = passNumbers(config, row.tokens, options);
    activations += kept + passing + 3 * row.predicting * hiddenSize; // rows, hidden, unit
    predicting += row.predicting;
    tokens += row.tokens;
  }
  activations *= alignedRows(tokens) / tokens; // nearly all of it is by token
  const atOnce = Math.min(predicting, headRowsAtOnce(vocabSize));
  return { activations, logits: LOGITS_COPIES * atOnce * vocabSize };
}
