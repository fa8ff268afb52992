/**
 * Whether the other precisions learn what float32 learns: a model trained in each, on the same pairs,
 * with two seeds. Prints a table of docs/cost.md and how far the losses of a step part.
 *
 *     deno run -q -A bench/precision_curves.ts [MODEL_FOLDER] [SEEDS]
 *
 * Without a folder it is the embedded model, trained as the demo trains it; another model is trained
 * for two epochs on pairs of MTS-Dialog. SEEDS are joined by commas.
 */
import { loadTriplets } from "../lib/data/load_triplets.ts";
import { type Precision, precisions } from "../lib/model/network.ts";
import { encodePairs } from "../lib/tokenizer/encode_all.ts";
import { loadTokenizer } from "../lib/tokenizer/load_tokenizer.ts";
import { buildModels, type BuildModelsOptions } from "../lib/train/build_models.ts";
import { trainDpo, type TrainDpoOptions } from "../lib/train/train_dpo.ts";
import type { Metrics } from "../lib/train/train_types.ts";
import type { EncodedPair } from "../lib/types.ts";
import { makeBenchPairs } from "./pairs.ts";

const EMBEDDED = "models/sft_specialist/final_model";
const TRAINED = 32, HELD_OUT = 16, MOST_TOKENS = 200;

type Course = {
  train: EncodedPair[];
  held: EncodedPair[];
  lora: Omit<BuildModelsOptions, "sftModelPath">;
  settings: TrainDpoOptions;
  /** The steps whose losses make one mean. */
  every: number;
};
type Curve = { losses: number[]; heldOut: Metrics[] };

const [modelPath = EMBEDDED, seeds = "42,1"] = Deno.args;
const course = modelPath === EMBEDDED ? await demoCourse() : await realCourse();
for (const seed of seeds.split(",").map(Number)) {
  const curves: Curve[] = [];
  for (const precision of precisions) {
    const curve = await train(precision, seed), { losses, heldOut } = curve;
    curves.push(curve);
    const means = Array.from(
      { length: losses.length / course.every },
      (_, i) => mean(losses.slice(i * course.every, (i + 1) * course.every)),
    );
    const ends = heldOut.flatMap((metrics) => [metrics.loss, metrics["rewards/margins"]]);
    const cells = [...means, ...ends].map((value) => value.toFixed(4));
    console.log(`| ${[precision, seed, ...cells].join(" | ")} |`);
  }
  const [full, ...others] = curves.map(({ losses }) => losses);
  for (const [i, losses] of others.entries()) {
    const apart = full.map((loss, step) => Math.abs(loss - losses[step]));
    console.log(
      `seed ${seed}, ${precisions[i + 1]}: a step's loss differs by ${mean(apart).toFixed(4)} on ` +
        `average, ${Math.max(...apart).toFixed(4)} at most`,
    );
  }
}

async function demoCourse(): Promise<Course> {
  const tokenizer = await loadTokenizer(EMBEDDED);
  const [train, held] = await Promise.all(
    ["train", "val"].map(async (part) =>
      encodePairs(tokenizer, await loadTriplets(`phase2_data/dpo/${part}_dpo.jsonl`)).rows
    ),
  );
  const lossType = ["sigmoid" as const, "sft" as const], lossWeights = [1, 4];
  return {
    ...{ train, held, every: 100, lora: { targetModules: ["all-linear"] } },
    settings: { learningRate: 3e-4, batchSize: 8, epochs: 1, lossType, lossWeights },
  };
}

async function realCourse(): Promise<Course> {
  const count = TRAINED + HELD_OUT;
  const pairs = (await makeBenchPairs({ modelPath, count, maxTokens: MOST_TOKENS }))
    .map(({ encoded }) => encoded);
  return {
    ...{ train: pairs.slice(0, TRAINED), held: pairs.slice(TRAINED), every: 4 },
    lora: { rank: 8, alpha: 16 },
    settings: { learningRate: 2e-4, batchSize: 4, epochs: 2 },
  };
}

async function train(precision: Precision, seed: number): Promise<Curve> {
  const { train, held, lora, settings } = course;
  using models = await buildModels({ sftModelPath: modelPath, ...lora, precision, seed });
  const losses: number[] = [], heldOut: Metrics[] = [];
  for await (const event of trainDpo(models, train, { ...settings, seed, validation: held })) {
    if (event.type === "step") losses.push(event.metrics.loss);
    if (event.type === "epoch") heldOut.push(event.validation!);
  }
  return { losses, heldOut };
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
