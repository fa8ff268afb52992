import { measureHallucination } from "../meter/measure_hallucination.ts";
import { isAdapterFolder } from "../train/load_source.ts";
import { loadModels, type LoadModelsOptions } from "../train/load_models.ts";
import type { Triplet } from "../types.ts";
import { bootstrap, type Estimated, shareInterval } from "./bootstrap.ts";
import { generate, type GenerateOptions } from "./generate.ts";
import { differentPrompts, type Task, textOf } from "./write_texts.ts";

/** What the meter says of what a model wrote. */
export type TextScores = {
  details: number;
  unsupported: number;
  /** Unsupported details / details. */
  hallucinationRate: Estimated;
  /** Share of texts with at least one. */
  notesWithHallucination: Estimated;
};

/** What {@link compareQuantizedTexts} found. */
export type QuantizedTexts = {
  prompts: number;
  /** Share of prompts for which both wrote the same. */
  sameTexts: number;
  float: TextScores;
  quantized: TextScores;
  /** What the quantised model has more, by prompt. */
  difference: Pick<TextScores, "hallucinationRate" | "notesWithHallucination">;
};

/** Options of {@link compareQuantizedTexts}. */
export type CompareQuantizedTextsOptions =
  & Pick<GenerateOptions, "maxNewTokens" | "temperature" | "seed" | "batchSize" | "signal">
  & {
    /** The GGUF file that was made of the model. */
    quantizedPath: string;
    /** Writes for so many of the different prompts; for all unless given. */
    samples?: number;
    backend?: LoadModelsOptions["backend"];
    onProgress?: (done: number, total: number) => void;
  };

/**
 * Says what quantising cost in truth: both models write for the same prompts, and the meter counts which
 * details of each text its prompt does not bear out.
 *
 * **Source**: intervals as `bootstrap`, percentile, 95 %; that of the difference is paired by prompt.
 * **Units**: shares between 0 and 1.
 * **Memory**: one model at a time; no tensor is left behind.
 *
 * @param modelPath What was quantised: a model folder, an adapter folder or a GGUF file.
 * @param triplets Pairs that the model wasn't trained on; only their prompts are read.
 * @throws {UserError} when a model can't be loaded, or a prompt can't be continued.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { quantize } from "../convert/quantize.ts";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { compareQuantizedTexts } from "./compare_quantized_texts.ts";
 * const model = "models/sft_specialist/final_model";
 * const quantizedPath = await Deno.makeTempDir() + "/model.gguf";
 * await quantize(model, quantizedPath, { type: "f16" });
 * const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
 * const options = { quantizedPath, samples: 2, maxNewTokens: 8 };
 * const { prompts, sameTexts } = await compareQuantizedTexts(model, triplets, options);
 * assert.deepEqual([prompts, sameTexts], [2, 1]);
 * ```
 */
export async function compareQuantizedTexts(
  modelPath: string,
  triplets: readonly Triplet[],
  { quantizedPath, samples, backend, onProgress, ...writing }: CompareQuantizedTextsOptions,
): Promise<QuantizedTexts> {
  const tasks = differentPrompts(triplets).slice(0, samples), prompts = tasks.length;
  let before = 0;
  const write = async (options: LoadModelsOptions) => {
    using models = await loadModels({ ...options, backend });
    const texts = await generate(models, tasks.map(({ prompt }) => prompt), {
      ...writing,
      onProgress: (done) => onProgress?.(before + done, 2 * prompts),
    });
    before = prompts;
    return texts.map(({ text }) => text);
  };
  const isAdapter = await isAdapterFolder(modelPath);
  const float = await write(isAdapter ? { adapterPath: modelPath } : { modelPath });
  const quantized = await write({ modelPath: quantizedPath });
  const [a, b] = [measured(float, tasks), measured(quantized, tasks)];
  const difference = bootstrap([...b, ...a], (sums, count) => {
    const [more, less] = [shares(sums, count), shares(sums.subarray(COLUMNS), count)];
    return more.map((share, i) => share - less[i]);
  });
  return {
    prompts,
    sameTexts: float.filter((text, i) => text === quantized[i]).length / prompts,
    float: scoresOf(a),
    quantized: scoresOf(b),
    difference: named(difference),
  };
}

const COLUMNS = 3;

/** Details, unsupported ones, and whether there is one, of each text. */
function measured(texts: string[], tasks: readonly Task[]): number[][] {
  const found = texts.map((text, i) => measureHallucination(text, textOf(tasks[i].prompt)));
  return [
    found.map(({ details }) => details),
    found.map(({ unsupported }) => unsupported.length),
    found.map(({ unsupported }) => Number(unsupported.length > 0)),
  ];
}

const shares = ([details, unsupported, notes]: Float64Array, count: number) => [
  unsupported / details,
  notes / count,
];

const named = ([hallucinationRate, notesWithHallucination]: Estimated[]) => ({
  hallucinationRate,
  notesWithHallucination,
});

function scoresOf(columns: number[][]): TextScores {
  const add = (values: number[]) => values.reduce((a, b) => a + b, 0);
  const found = bootstrap(columns, shares).map((share) => shareInterval(share, columns[0].length));
  return { details: add(columns[0]), unsupported: add(columns[1]), ...named(found) };
}
