/**
 * Whether bfloat16 learns what float32 learns: the embedded model trained as the demo trains it, in
 * both, with two seeds. Prints the table of docs/cost.md and how far the losses of a step part.
 *
 *     deno run -q -A bench/precision_curves.ts
 */
import { loadTriplets } from "../lib/data/load_triplets.ts";
import type { Precision } from "../lib/model/network.ts";
import { encodePairs } from "../lib/tokenizer/encode_all.ts";
import { buildModels } from "../lib/train/build_models.ts";
import { trainDpo } from "../lib/train/train_dpo.ts";
import type { Metrics } from "../lib/train/train_types.ts";

const EVERY = 100;
const triplets = await loadTriplets("phase2_data/dpo/train_dpo.jsonl");
const validation = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");

type Curve = { losses: number[]; heldOut: Metrics };

for (const seed of [42, 1]) {
  const curves: Curve[] = [];
  for (const precision of ["float32", "bfloat16"] as const) {
    const { losses, heldOut } = await train(precision, seed);
    curves.push({ losses, heldOut });
    const means = Array.from(
      { length: losses.length / EVERY },
      (_, i) => mean(losses.slice(i * EVERY, (i + 1) * EVERY)).toFixed(4),
    );
    const end = [heldOut.loss, heldOut["rewards/margins"]].map((value) => value.toFixed(4));
    console.log(`| ${[precision, seed, ...means, ...end].join(" | ")} |`);
  }
  const [full, half] = curves.map(({ losses }) => losses);
  const apart = full.map((loss, i) => Math.abs(loss - half[i]));
  console.log(
    `seed ${seed}: a step's loss differs by ${mean(apart).toFixed(4)} on average, ` +
      `${Math.max(...apart).toFixed(4)} at most`,
  );
}

async function train(precision: Precision, seed: number): Promise<Curve> {
  using models = await buildModels({
    sftModelPath: "models/sft_specialist/final_model",
    targetModules: ["all-linear"],
    precision,
    seed,
  });
  const [train, held] = [triplets, validation].map((rows) =>
    encodePairs(models.tokenizer, rows).rows
  );
  const losses: number[] = [];
  let heldOut: Metrics = {};
  const settings = {
    ...{ learningRate: 3e-4, batchSize: 8, epochs: 1, seed, validation: held },
    ...{ lossType: ["sigmoid" as const, "sft" as const], lossWeights: [1, 4] },
  };
  for await (const event of trainDpo(models, train, settings)) {
    if (event.type === "step") losses.push(event.metrics.loss);
    if (event.type === "epoch") heldOut = event.validation!;
  }
  return { losses, heldOut };
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
