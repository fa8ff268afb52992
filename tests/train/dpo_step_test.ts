import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { meanMetrics } from "../../lib/loss/preference_metrics.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { dpoGradients, type DpoGradientsOptions, dpoStep } from "../../lib/train/dpo_step.ts";
import { evaluate } from "../../lib/train/evaluate.ts";
import { pickPairs, preferenceBatch } from "../../lib/train/preference_batch.ts";
import { scorePairs } from "../../lib/train/score_pairs.ts";
import { presentBackends } from "../backend/backends.ts";
import { assertClose, relativeError } from "../close.ts";
import { randomPairs, shake, tinyModels } from "./tiny_models.ts";

await useBackend({ backend: "cpu" });

Deno.test("evaluate() of an untrained policy gives exactly ln 2 and tied rewards, on every backend", async () => {
  for (const backend of await presentBackends()) {
    await useBackend({ backend });
    using models = await tinyModels();
    const batch = await preferenceBatch(models, randomPairs(5, 1), { batchSize: 2 });
    const metrics = await evaluate(models, batch, { beta: 0.1, batchSize: 2 });
    assertEquals(metrics.loss, Math.LN2, backend);
    assertEquals(metrics["rewards/ties"], 1);
    assertEquals(metrics["rewards/accuracies"], 0);
    assertEquals(metrics.chosenPreference, 0.5);
  }
  await useBackend({ backend: "cpu" });
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

const LOSSES: Partial<DpoGradientsOptions>[] = [
  { lossType: ["sigmoid", "sft"] },
  { lossType: "ipo", ldAlpha: 0.3 },
  { lossType: ["dpop", "hinge"] },
  { lossType: ["aot", "sft"], ldAlpha: 0.3 },
  { lossType: "aot_unpaired", labelSmoothing: 0.1 },
  { lossType: ["sigmoid_norm", "apo_down"], useWeighting: true },
  { fDivergenceType: "js_divergence" },
];

Deno.test("dpoGradients() of micro-batches add up to the large batch's, however it is cut", async () => {
  using models = await tinyModels();
  const batch = await preferenceBatch(models, randomPairs(6, 3));
  shake(models, 5);
  const cuts = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 6, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(cuts, fc.constantFrom(...LOSSES), async (sizes, loss) => {
      const rows = [...batch.pairs.keys()];
      const parts = sizes.map((size) => rows.splice(0, size)).filter((part) => part.length > 0);
      const micro = parts.map((part) => pickPairs(batch, part)), options = { beta: 0.2, ...loss };
      const whole = await dpoGradients(models, [batch], options);
      const added = await dpoGradients(models, micro, options);
      whole.gradients.forEach((gradient, i) =>
        assertClose(relativeError(added.gradients[i], gradient), 0, { absolute: 1e-5 })
      );
      const [one, other] = [whole, added].map(({ sums }) => meanMetrics(sums));
      assertClose(Object.values(other), Object.values(one), { relative: 1e-5, absolute: 1e-6 });
    }),
    { numRuns: 14 },
  );
});

Deno.test("dpoGradients() equals finite differences of the loss with tails, weights and sorts", async () => {
  using models = await tinyModels();
  const batch = await preferenceBatch(models, randomPairs(4, 8)), h = 2e-3;
  for (const loss of LOSSES) {
    if (loss.useWeighting) continue; // no gradient passes through a weight, but a difference does
    shake(models, 9);
    const lossNow = async () => {
      models.trainable.refresh();
      const options = { beta: 0.2, ...loss, batchSize: 4 };
      return (await evaluate(models, batch, options)).loss;
    };
    const micro = [[0, 1], [2, 3]].map((rows) => pickPairs(batch, rows));
    const { gradients } = await dpoGradients(models, micro, { beta: 0.2, ...loss });
    for (const [array, i] of [[0, 3], [5, 1]]) {
      const values = models.trainable.values[array], own = values[i];
      values[i] = own + h;
      const above = await lossNow();
      values[i] = own - h;
      const difference = (above - await lossNow()) / (2 * h);
      values[i] = own;
      const message = JSON.stringify(loss);
      assertClose(gradients[array][i], difference, { absolute: 2e-3, relative: 0.02, message });
    }
  }
});

Deno.test("evaluate() gives a step's loss of the same pairs, however they are batched", async () => {
  using models = await tinyModels();
  const batch = await preferenceBatch(models, randomPairs(6, 4));
  shake(models, 2);
  for (const loss of LOSSES) {
    const options = { beta: 0.2, ...loss };
    const { sums } = await dpoGradients(models, [batch], options), wanted = meanMetrics(sums);
    for (const batchSize of [6, 2]) {
      const metrics = await evaluate(models, batch, { ...options, batchSize });
      assertClose(Object.values(metrics), Object.values(wanted), {
        absolute: 1e-6,
        relative: 1e-5,
        message: JSON.stringify(loss),
      });
    }
  }
});

Deno.test("dpoGradients() gives with checkpointing, to the last bit, what it gives without", async () => {
  for (const backend of await presentBackends()) {
    await useBackend({ backend });
    using models = await tinyModels();
    const batch = await preferenceBatch(models, randomPairs(4, 6));
    shake(models, 6);
    const [plain, checkpointed] = [
      await dpoGradients(models, [batch], { beta: 0.1 }),
      await dpoGradients(models, [batch], { beta: 0.1, checkpointing: true }),
    ];
    assertEquals(checkpointed.gradients, plain.gradients, backend);
  }
  await useBackend({ backend: "cpu" });
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

Deno.test("scorePairs() gives a pair the same numbers alone as in any batch", async () => {
  using models = await tinyModels();
  shake(models, 7);
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 2, max: 7 }), async (seed, batchSize) => {
      const pairs = randomPairs(7, seed);
      const [alone, together] = [
        await scorePairs(models, pairs, { adapter: true, batchSize: 1 }),
        await scorePairs(models, pairs, { adapter: true, batchSize }),
      ];
      assertClose(together.chosen, alone.chosen, { relative: 1e-5 });
      assertClose(together.rejected, alone.rejected, { relative: 1e-5 });
    }),
    { numRuns: 10 },
  );
});
