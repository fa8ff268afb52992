import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import type { Models } from "../../lib/train/build_models.ts";
import {
  sftGradients,
  sftLoss,
  trainSft,
  type TrainSftOptions,
} from "../../lib/train/train_sft.ts";
import { assertClose, relativeError } from "../close.ts";
import { userError } from "../io/damage.ts";
import { randomPairs, shake, tinyModels } from "./tiny_models.ts";
import { namesIn, ofType } from "./tiny_runs.ts";

await useBackend({ backend: "cpu" });

const EXAMPLES = randomPairs(10, 1).map(({ index, prompt, chosen }) => ({
  index,
  prompt,
  completion: chosen,
}));

/** Trains and returns the epochs' losses. */
async function losses(models: Models, options: TrainSftOptions): Promise<number[]> {
  const before = tf.memory().numTensors;
  const events = await Array.fromAsync(trainSft(models, EXAMPLES, options));
  assertEquals(tf.memory().numTensors, before);
  return ofType(events, "epoch").map(({ train }) => train.loss);
}

Deno.test("trainSft() with all weights learns and writes a Hugging Face folder", async () => {
  using models = await tinyModels({ allWeights: true });
  const outputDir = await Deno.makeTempDir();
  const options = { outputDir, epochs: 12, batchSize: 5, learningRate: 1e-2 };
  const [first, ...later] = await losses(models, options);
  assert(later.at(-1)! < first / 2, `${first} -> ${later}`);
  assertEquals(namesIn(`${outputDir}/final_model`), [
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "sft_config.json",
    "tokenizer.json",
  ]);
});

Deno.test("trainSft() with an adapter learns, leaves the weights alone and writes an adapter", async () => {
  using models = await tinyModels();
  const weights = () => [...models.network.weights.values()].map((tensor) => tensor.dataSync());
  const before = weights(), outputDir = await Deno.makeTempDir();
  const options = { outputDir, epochs: 20, batchSize: 5, learningRate: 5e-2 };
  const [first, ...later] = await losses(models, options);
  assert(later.at(-1)! < first - 0.3, `${first} -> ${later}`);
  assertEquals(weights(), before);
  assertEquals(namesIn(`${outputDir}/final_model`), [
    "adapter_config.json",
    "adapter_model.bin",
    "adapter_model.safetensors",
    "generation_config.json",
    "sft_config.json",
    "tokenizer.json",
  ]);
});

Deno.test("sftGradients() of micro-batches add up to the large batch's, a mean over tokens", async () => {
  using models = await tinyModels();
  shake(models, 1);
  const whole = await sftGradients(models, [EXAMPLES]);
  const parts = await sftGradients(models, [EXAMPLES.slice(0, 3), EXAMPLES.slice(3)]);
  assertEquals(parts.weight, EXAMPLES.flatMap(({ completion }) => completion).length);
  assertClose(parts.metrics.loss, whole.metrics.loss, { relative: 1e-6 });
  whole.gradients.forEach((gradient, i) =>
    assertClose(relativeError(parts.gradients[i], gradient), 0, { absolute: 1e-5 })
  );
  const held = await sftLoss(models, EXAMPLES, { batchSize: 4 });
  assertClose(held, whole.metrics.loss, { relative: 1e-6 });
});

Deno.test("trainSft() judges by validation examples at each epoch's end", async () => {
  using models = await tinyModels();
  const validation = EXAMPLES.slice(0, 3);
  const options = { validation, epochs: 1, learningRate: 1e-2 };
  const [{ validation: judged }] = ofType(
    await Array.fromAsync(trainSft(models, EXAMPLES, options)),
    "epoch",
  );
  assertClose(judged!.loss, await sftLoss(models, validation, { batchSize: 1 }), {
    relative: 1e-6,
  });
});

Deno.test("trainSft() refuses to train on nothing", async () => {
  using models = await tinyModels();
  const { message } = await userError(trainSft(models, [], {}).next());
  assertEquals(message, "Cannot train: the training set has no row; wanted at least one");
  const nothing = trainSft(models, EXAMPLES, { validation: [] }).next();
  assertEquals(
    (await userError(nothing)).message,
    "Cannot train: the validation set has no row; wanted at least one",
  );
});
