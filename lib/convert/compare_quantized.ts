import type { EncodedPair } from "../types.ts";
import { isAdapterFolder } from "../train/load_source.ts";
import { loadModels, type LoadModelsOptions } from "../train/load_models.ts";
import type { PairSums } from "../train/pair_sums.ts";
import { scorePairs } from "../train/score_pairs.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

/** What a model thinks of some pairs; means over pairs, in nats. */
export type PairOpinion = {
  /** Minus the log-probability of a token of the chosen answers. */
  loss: number;
  /**
   * By how much the chosen answer is likelier than the rejected one; of a model with an adapter, by
   * how much more than under its reference.
   */
  margin: number;
  /** Share of pairs with a margin above zero. */
  preferred: number;
};

/** What {@link compareQuantized} found. */
export type QuantizedComparison = {
  pairs: number;
  /** Whether margins are against the model that the adapter was trained over. */
  hasReference: boolean;
  float: PairOpinion;
  quantized: PairOpinion;
  /** The quantised margin over the float one; null where the float one isn't above zero. */
  marginKept: number | null;
  /** Mean change of an answer's log-probability, without its sign, in nats. */
  meanChange: number;
};

/** Options of {@link compareQuantized}. */
export type CompareQuantizedOptions = {
  /** The GGUF file that was made of the model. */
  quantizedPath: string;
  /** Encodes the pairs; both models read the same ids. */
  encode: (tokenizer: Tokenizer) => EncodedPair[];
  backend?: LoadModelsOptions["backend"];
  /** Pairs in memory at once. Default 4. */
  batchSize?: number;
  signal?: AbortSignal;
};

/**
 * Says what quantising cost: reads the GGUF file back with this project's own loader and lets both
 * models judge the same held-out pairs.
 *
 * **Units**: nats.
 * **Memory**: one model at a time; no tensor is left behind.
 *
 * @param modelPath What was quantised: a model folder, an adapter folder or a GGUF file.
 * @throws {UserError} when a model can't be loaded.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { encodePairs } from "../tokenizer/encode_all.ts";
 * import { compareQuantized } from "./compare_quantized.ts";
 * import { quantize } from "./quantize.ts";
 * const model = "models/sft_specialist/final_model";
 * const path = await Deno.makeTempDir() + "/model.gguf";
 * await quantize(model, path, { type: "f16" });
 * const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
 * const { float, quantized } = await compareQuantized(model, {
 *   quantizedPath: path,
 *   encode: (tokenizer) => encodePairs(tokenizer, triplets.slice(0, 4)).rows,
 * });
 * assert(Math.abs(float.loss - quantized.loss) < 1e-3);
 * ```
 */
export async function compareQuantized(
  modelPath: string,
  { quantizedPath, encode, backend, batchSize = 4, signal }: CompareQuantizedOptions,
): Promise<QuantizedComparison> {
  const hasReference = await isAdapterFolder(modelPath);
  let pairs: EncodedPair[] = [];
  const judge = async (options: LoadModelsOptions, adapters: boolean[]) => {
    using models = await loadModels({ ...options, backend });
    if (pairs.length === 0) pairs = encode(models.tokenizer);
    const sums: PairSums[] = [];
    for (const adapter of adapters) {
      sums.push(await scorePairs(models, pairs, { adapter, batchSize, signal }));
    }
    return sums;
  };
  const [float, reference] = hasReference
    ? await judge({ adapterPath: modelPath }, [true, false])
    : await judge({ modelPath }, [false]);
  const [quantized] = await judge({ modelPath: quantizedPath }, [false]);
  const opinions = {
    float: opinionOf(float, pairs, reference),
    quantized: opinionOf(quantized, pairs, reference),
  };
  const { margin } = opinions.float;
  return {
    pairs: pairs.length,
    hasReference,
    ...opinions,
    marginKept: margin > 0 ? opinions.quantized.margin / margin : null,
    meanChange: mean([
      ...changes(float.chosen, quantized.chosen),
      ...changes(float.rejected, quantized.rejected),
    ]),
  };
}

function opinionOf(
  { chosen, rejected }: PairSums,
  pairs: EncodedPair[],
  reference: PairSums | undefined,
): PairOpinion {
  const margins = pairs.map((_, i) => {
    const before = reference ? reference.chosen[i] - reference.rejected[i] : 0;
    return chosen[i] - rejected[i] - before;
  });
  const tokens = pairs.reduce((sum, pair) => sum + pair.chosen.length, 0);
  return {
    loss: -chosen.reduce((sum, logProb) => sum + logProb, 0) / tokens,
    margin: mean(margins),
    preferred: mean(margins.map((margin) => margin > 0 ? 1 : 0)),
  };
}

const changes = (before: Float64Array, after: Float64Array) =>
  Array.from(before, (logProb, i) => Math.abs(after[i] - logProb));

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
