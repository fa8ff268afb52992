/** Training with frozen weights multiplied in bfloat16, on the embedded model. */
import * as tf from "@tensorflow/tfjs";
import { isHalf, toFloat, toHalf } from "../../lib/backend/half_matrix.ts";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { loadTriplets } from "../../lib/data/load_triplets.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { encodePairs } from "../../lib/tokenizer/encode_all.ts";
import { buildModels, type Models } from "../../lib/train/build_models.ts";
import { inPrecision } from "../../lib/model/load_network.ts";
import type { Precision } from "../../lib/model/network.ts";
import { dpoStep } from "../../lib/train/dpo_step.ts";
import { evaluate } from "../../lib/train/evaluate.ts";
import { preferenceBatch } from "../../lib/train/preference_batch.ts";
import { referenceBatch } from "../../lib/train/reference_cache.ts";
import { modelSettings } from "../../lib/train/run_record.ts";
import { scorePairs } from "../../lib/train/score_pairs.ts";
import { fusedKernels, switchFusedKernels } from "../../lib/backend/fused_kernels.ts";
import { tokenGradients } from "../../lib/model/token_gradients.ts";
import { packPairs } from "../../lib/tokenizer/token_batch.ts";
import { presentBackends } from "../backend/backends.ts";
import { assertClose } from "../close.ts";
import { userError } from "../io/damage.ts";

const ignore = !(await presentBackends()).includes("tensorflow");
const MODEL = { sftModelPath: "models/sft_specialist/final_model" };
const build = (precision: Precision) => buildModels({ ...MODEL, precision, backend: "tensorflow" });
const half = () => build("bfloat16");
const triplets = (await loadTriplets("phase2_data/dpo/val_dpo.jsonl")).slice(0, 8);
const encode = ({ tokenizer }: Models) => encodePairs(tokenizer, triplets).rows;

/** The float32 model with its matrices rounded to bfloat16: what exact answers are answers of. */
async function roundedModels(): Promise<Models> {
  const models = await build("float32");
  const weights = models.network.weights as Map<string, tf.Tensor>;
  for (const [name, weight] of weights) {
    if (weight.rank !== 2) continue;
    weights.set(name, tf.tidy(() => toFloat(toHalf(weight as tf.Tensor2D))));
    weight.dispose();
  }
  return models;
}

for (const precision of ["bf32", "bfloat16"] as const) {
  Deno.test({
    name: `${precision}: the first loss is ln 2 to the bit, the next ones fall`,
    ignore,
    async fn() {
      using models = await build(precision);
      assertEquals(models.network.precision, precision);
      for (const weight of models.network.weights.values()) {
        assertEquals(isHalf(weight), precision === "bfloat16" && weight.rank === 2);
      }
      const batch = await preferenceBatch(models, encode(models));
      const losses: number[] = [], held = tf.memory().numTensors;
      for (let step = 0; step < 4; step++) {
        losses.push((await dpoStep(models, batch, { beta: 0.1, learningRate: 1e-3 })).loss);
      }
      assertEquals(losses[0], Math.LN2);
      assert(losses[3] < losses[0] - 1e-3, losses.join());
      assertEquals(tf.memory().numTensors, held);
    },
  });
}

Deno.test({
  name: "bf32: a training pass multiplies as bfloat16 does, evaluation is float32 to the bit",
  ignore,
  async fn() {
    using models = await build("bf32");
    using full = await build("float32");
    using resting = await half();
    using rounded = await roundedModels();
    const pairs = encode(models).slice(0, 4), options = { adapter: false, batchSize: 4 };
    const wanted = await scorePairs(full, pairs, options);
    assertEquals(await scorePairs(models, pairs, options), wanted);
    const rough = (of: Models) => scorePairs(of, pairs, { ...options, exact: false });
    const own = await rough(models);
    const error = Math.max(...own.chosen.map((sum, i) => Math.abs(sum - wanted.chosen[i])));
    assert(error > 1e-4 && error < 0.1, `largest error ${error} nats`);
    const same = { ...rounded, network: inPrecision(rounded.network, "bf32") };
    assertEquals(await rough(same), await rough(resting));
    // Judged as float32 judges the same adapter; a step refuses the batch that it was judged by.
    const [toJudge, toTrain] = [
      await preferenceBatch(models, pairs, { exact: true }),
      await preferenceBatch(models, pairs),
    ];
    await dpoStep(models, toTrain, { beta: 0.1, learningRate: 1e-3 });
    full.trainable.values.forEach((values, i) => values.set(models.trainable.values[i]));
    full.trainable.refresh();
    const judged = await evaluate(full, await preferenceBatch(full, pairs), { beta: 0.1 });
    for (const batch of [toJudge, toTrain]) {
      assertEquals(await evaluate(models, batch, { beta: 0.1 }), judged);
    }
    const step = dpoStep(models, toJudge, { beta: 0.1 });
    assert(/bf32 against an exact reference/.test(`${await step.catch((error) => error)}`));
  },
});

Deno.test({
  name: "bfloat16: evaluation is float32 over the rounded weights, training is not",
  ignore,
  async fn() {
    using models = await half();
    using rounded = await roundedModels();
    const pairs = encode(models), options = { adapter: false, batchSize: 4 };
    const wanted = await scorePairs(rounded, pairs, options);
    const exact = await scorePairs(models, pairs, options);
    assertClose(exact.chosen, wanted.chosen, { absolute: 1e-5 });
    const rough = await scorePairs(models, pairs, { ...options, exact: false });
    const error = Math.max(...rough.chosen.map((sum, i) => Math.abs(sum - wanted.chosen[i])));
    assert(error > 1e-4 && error < 0.1, `largest error ${error} nats`);
    // An untrained policy ties, whatever the batch was made for; a trained one is judged alike.
    const [toJudge, toTrain] = await Promise.all(
      [true, false].map((exact) => preferenceBatch(models, pairs, { exact })),
    );
    for (const batch of [toJudge, toTrain]) {
      assertEquals((await evaluate(models, batch, { beta: 0.1 }))["rewards/ties"], 1);
    }
    await dpoStep(models, toTrain, { beta: 0.1, learningRate: 1e-3 });
    const judged = [toJudge, toTrain].map((batch) => evaluate(models, batch, { beta: 0.1 }));
    assertEquals(await judged[0], await judged[1]);
    const step = dpoStep(models, toJudge, { beta: 0.1 });
    assert(/bfloat16 against an exact reference/.test(`${await step.catch((error) => error)}`));
    const slope = (logProbs: Float32Array) => logProbs;
    const weights = tokenGradients(models.network, null, packPairs(pairs), slope, {
      weights: true,
    });
    assert(/weights in bfloat16/.test(`${await weights.catch((error) => error)}`));
  },
});

Deno.test({
  name: "bfloat16: a run's identity and the reference's cache know of it",
  ignore,
  async fn() {
    const cachePath = await Deno.makeTempFile(), fusedOnes = fusedKernels() !== null;
    const reference = async (models: Models, exact: boolean) => {
      const batches = referenceBatch(models, encode(models), { batchSize: 4, exact, cachePath });
      let computed = 0; // a cache that serves computes nothing
      for (;;) {
        const { done, value } = await batches.next();
        if (done) return { computed, chosen: value.reference.chosen };
        computed = value;
      }
    };
    using models = await half();
    using mixed = await build("bf32");
    using full = await build("float32");
    assertEquals(modelSettings(mixed).precision, "bf32");
    assertEquals(modelSettings(models).precision, "bfloat16");
    assertEquals(modelSettings(full).precision, "float32");
    assertEquals((await reference(full, false)).computed, 8);
    assertEquals((await reference(full, false)).computed, 0);
    assertEquals((await reference(models, false)).computed, 8);
    assertEquals((await reference(mixed, false)).computed, 8);
    // Exact products of rounded weights are not those of the weights themselves.
    assertEquals((await reference(full, true)).computed, 8);
    assertEquals((await reference(models, true)).computed, 8);
    switchFusedKernels(false);
    assertEquals((await reference(models, true)).computed, fusedOnes ? 8 : 0);
    switchFusedKernels(true);
    await Deno.remove(cachePath);
  },
});

Deno.test("a precision is refused before a model is loaded where it can't be had", async () => {
  await useBackend({ backend: "cpu" });
  const before = tf.memory().numTensors;
  const messageOf = (options: Parameters<typeof buildModels>[0]) => userError(buildModels(options));
  for (const precision of ["bf32", "bfloat16"] as const) {
    const other = await messageOf({ sftModelPath: "nowhere", precision, backend: "cpu" });
    assert(other.message.startsWith(`Cannot multiply in ${precision}: wanted`), other.message);
    const all = await messageOf({ ...MODEL, precision, allWeights: true });
    assertEquals(all.message, `Cannot train all weights in ${precision}: wanted float32`);
  }
  assertEquals(tf.memory().numTensors, before);
});
