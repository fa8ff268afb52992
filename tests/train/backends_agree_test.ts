import * as tf from "@tensorflow/tfjs";
import { type BackendName, useBackend } from "../../lib/backend/use_backend.ts";
import { dpoGradients, dpoStep } from "../../lib/train/dpo_step.ts";
import { preferenceBatch } from "../../lib/train/preference_batch.ts";
import { sftGradients } from "../../lib/train/train_sft.ts";
import { meanMetrics } from "../../lib/loss/preference_metrics.ts";
import { assertEquals } from "../../lib/std.ts";
import { presentBackends } from "../backend/backends.ts";
import { assertClose, relativeError } from "../close.ts";
import { randomPairs, shake, tinyModels } from "./tiny_models.ts";

const PAIRS = randomPairs(6, 3);
const EXAMPLES = PAIRS.map(({ index, prompt, chosen }) => ({ index, prompt, completion: chosen }));
const LOSS = { beta: 0.3, lossType: ["sigmoid" as const, "sft" as const] };
/** Relative; what the project promises of one step on different backends. */
const TOLERANCE = 1e-4;

/** A DPO step of a policy that has left its reference, and an SFT gradient of all weights. */
async function train(backend: BackendName) {
  await useBackend({ backend });
  const before = tf.memory().numTensors;
  const result = { ...await stepOnce(), ...await allWeightGradients() };
  assertEquals(tf.memory().numTensors, before, `${backend} leaves a tensor behind`);
  return result;
}

async function stepOnce() {
  using models = await tinyModels();
  const reference = await preferenceBatch(models, PAIRS);
  shake(models, 4);
  const { gradients, sums } = await dpoGradients(models, [reference], LOSS);
  const metrics = meanMetrics(sums);
  const { grad_norm } = await dpoStep(models, reference, { ...LOSS, learningRate: 1e-3 });
  return { gradients, metrics, gradNorm: grad_norm };
}

async function allWeightGradients() {
  using models = await tinyModels({ allWeights: true });
  const { gradients, metrics } = await sftGradients(models, [EXAMPLES]);
  return { sftLoss: metrics.loss, sftGradients: gradients };
}

const wanted = await train("cpu");

for (const backend of (await presentBackends()).filter((name) => name !== "cpu")) {
  Deno.test(`dpoStep() and sftGradients() give on ${backend} what plain JavaScript gives`, async () => {
    const found = await train(backend);
    for (const [key, value] of Object.entries(wanted.metrics)) {
      const own = found.metrics[key as keyof typeof found.metrics];
      assertClose(own, value, { relative: TOLERANCE, absolute: 1e-5, message: key });
    }
    assertClose(found.metrics.loss, wanted.metrics.loss, { relative: TOLERANCE });
    assertClose(found.sftLoss, wanted.sftLoss, { relative: TOLERANCE });
    assertClose(found.gradNorm, wanted.gradNorm, { relative: TOLERANCE });
    const lists = [[found.gradients, wanted.gradients], [found.sftGradients, wanted.sftGradients]];
    for (const [own, others] of lists) {
      assertEquals(own.length, others.length);
      own.forEach((gradient, i) => {
        const error = relativeError(gradient, others[i]);
        assertClose(error, 0, { absolute: TOLERANCE, message: `gradient ${i}` });
      });
    }
  });
}
