import { join } from "node:path";
import type { EncodedExample, EncodedPair } from "../types.ts";
import { placeOf, placeRow } from "../row_place.ts";
import type { Models } from "./build_models.ts";
import { definedOnly } from "./defined_only.ts";
import { DPO_DEFAULTS } from "./train_dpo.ts";
import { trainSft } from "./train_sft.ts";
import { listCheckpoints } from "./train_state.ts";
import type { TrainEvent, TrainLoopOptions } from "./train_types.ts";

/** Options of {@link trainControl}: those of the DPO run that it stands beside. */
export type TrainControlOptions = Partial<TrainLoopOptions> & {
  checkpointing?: boolean;
  /** Pairs whose chosen answers it is judged by at each epoch's end. */
  validation?: EncodedPair[];
};

/** The control's folder in the run's. */
export const CONTROL_FOLDER = "control_model";

/**
 * Trains the control of a DPO run: the same adapter imitates the chosen answers alone, with the same
 * pairs, order, steps, rates and seed. What DPO is better at than its control, the contrast taught;
 * the rest imitation gives too. The loss is the mean over the chosen answers' tokens.
 *
 * With `outputDir`, the run's, it writes `control_model/` there, laid out as a run of `trainSft`. A
 * `resumeFrom` goes on from the furthest checkpoint there, if there is one.
 *
 * **Memory**: as `trainSft`; `models` is a policy of its own, of which the DPO run knows nothing.
 *
 * @throws {UserError} as `trainSft`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadTriplets } from "../data/load_triplets.ts";
 * import { encodePairs } from "../tokenizer/encode_all.ts";
 * import { buildModels } from "./build_models.ts";
 * import { trainControl } from "./train_control.ts";
 * const triplets = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const { rows } = encodePairs(models.tokenizer, triplets.slice(0, 4));
 * const losses: number[] = [];
 * for await (const event of trainControl(models, rows, { learningRate: 1e-2, epochs: 4 })) {
 *   if (event.type === "step") losses.push(event.metrics.loss);
 * }
 * assert(losses[3] < losses[0]);
 * ```
 */
export async function* trainControl(
  models: Models,
  pairs: EncodedPair[],
  { outputDir, validation, resumeFrom, ...options }: TrainControlOptions = {},
): AsyncGenerator<TrainEvent> {
  const folder = outputDir && join(outputDir, CONTROL_FOLDER);
  const isBegun = folder !== undefined && (await listCheckpoints(folder)).length > 0;
  yield* trainSft(models, pairs.map(chosenExample), {
    ...DPO_DEFAULTS,
    ...definedOnly(options),
    outputDir: folder,
    validation: validation?.map(chosenExample),
    resumeFrom: resumeFrom !== undefined && isBegun ? "auto" : undefined,
  });
}

function chosenExample(pair: EncodedPair): EncodedExample {
  const { index, prompt, chosen } = pair;
  return placeRow({ index, prompt, completion: chosen }, placeOf(pair));
}
