import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { dpoGradients, dpoStep } from "../../lib/train/dpo_step.ts";
import { evaluate } from "../../lib/train/evaluate.ts";
import { pickPairs, preferenceBatch } from "../../lib/train/preference_batch.ts";
import { scorePairs } from "../../lib/train/score_pairs.ts";
import { assertClose } from "../close.ts";
import { randomPairs, tinyModels } from "./tiny_models.ts";

await useBackend({ backend: "cpu" });

Deno.test("dpoStep() starts at exactly ln 2 with tied rewards", async () => {
  using models = await tinyModels();
  const metrics = await evaluate(models, await preferenceBatch(models, randomPairs(5, 1)), {
    beta: 0.1,
  });
  assertEquals(metrics.loss, Math.LN2);
  assertEquals(metrics["rewards/ties"], 1);
  assertEquals(metrics["rewards/accuracies"], 0);
  assertEquals(metrics.chosenPreference, 0.5);
});

Deno.test("dpoStep() lowers the loss of its own batch and leaves no tensor behind", async () => {
  using models = await tinyModels();
  const batch = await preferenceBatch(models, randomPairs(4, 2));
  const first = await dpoStep(models, batch, { beta: 0.1, learningRate: 1e-2 });
  const tensors = tf.memory().numTensors;
  let last = first;
  for (let i = 0; i < 10; i++) {
    last = await dpoStep(models, batch, { beta: 0.1, learningRate: 1e-2 });
  }
  assertEquals(tf.memory().numTensors, tensors);
  assert(last.loss < first.loss - 0.05, `${first.loss} -> ${last.loss}`);
  assertEquals(last.chosenPreference, 1);
});

Deno.test("dpoGradients() of micro-batches add up to the large batch's", async () => {
  using models = await tinyModels();
  const batch = await preferenceBatch(models, randomPairs(5, 3));
  await dpoStep(models, batch, { beta: 0.1, learningRate: 0.05 });
  const loss = { beta: 0.2, lossType: ["sigmoid", "sft"] as const, lossWeights: [1, 0.5] };
  const options = { ...loss, lossType: [...loss.lossType] };
  const whole = await dpoGradients(models, [batch], options);
  const parts = [[0, 1], [2, 3], [4]].map((rows) => pickPairs(batch, rows));
  const added = await dpoGradients(models, parts, options);
  whole.gradients.forEach((gradient, i) =>
    assertClose(added.gradients[i], gradient, { absolute: 1e-6, relative: 1e-4 })
  );
});

Deno.test("dpoStep() leaves the policy alone when the gradient is not finite", async () => {
  using models = await tinyModels();
  const batch = await preferenceBatch(models, randomPairs(2, 4));
  batch.reference.chosen[1] = NaN;
  const before = models.trainable.values.map((values) => values.slice());
  const metrics = await dpoStep(models, batch, { beta: 0.1, learningRate: 1 });
  assert(Number.isNaN(metrics.grad_norm));
  assertEquals(models.trainable.values, before);
});

Deno.test("scorePairs() does not depend on the batch size", async () => {
  using models = await tinyModels();
  const pairs = randomPairs(7, 5);
  const one = await scorePairs(models, pairs, { adapter: true, batchSize: 1 });
  const all = await scorePairs(models, pairs, { adapter: true, batchSize: 7 });
  assertClose(all.chosen, one.chosen, { relative: 1e-5 });
  assertClose(all.rejected, one.rejected, { relative: 1e-5 });
});
