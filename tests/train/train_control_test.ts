import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { freshPolicy } from "../../lib/train/build_models.ts";
import { CONTROL_FOLDER, trainControl } from "../../lib/train/train_control.ts";
import { trainDpo } from "../../lib/train/train_dpo.ts";
import { trainSft } from "../../lib/train/train_sft.ts";
import type { EncodedPair } from "../../lib/types.ts";
import { tinyModels } from "./tiny_models.ts";
import { namesIn, ofType, PAIRS, SETTINGS } from "./tiny_runs.ts";

await useBackend({ backend: "cpu" });

const { validation: _, ...LOOP } = SETTINGS;
const copies = (values: Float32Array[]) => values.map((array) => array.slice());

Deno.test("trainControl() is SFT on the chosen answers, in the order of the DPO run", async () => {
  using models = await tinyModels();
  using control = freshPolicy(models, { seed: 1 });
  assertEquals(control.trainable.values, models.trainable.values);
  const before = copies(models.trainable.values);
  await Array.fromAsync(trainControl(control, PAIRS, LOOP));
  assertEquals(models.trainable.values, before); // DPO's own policy is not touched
  const examples = PAIRS.map(({ index, prompt, chosen }) => ({
    index,
    prompt,
    completion: chosen,
  }));
  await Array.fromAsync(trainSft(models, examples, LOOP));
  assertEquals(control.trainable.values, models.trainable.values);
});

Deno.test("trainControl() does not see the rejected answers", async () => {
  using models = await tinyModels();
  const train = async (pairs: EncodedPair[]) => {
    using control = freshPolicy(models, { seed: 1 });
    await Array.fromAsync(trainControl(control, pairs, LOOP));
    return copies(control.trainable.values);
  };
  const others = PAIRS.map((pair) => ({ ...pair, rejected: [5, 2] }));
  assertEquals(await train(others), await train(PAIRS));
});

Deno.test("trainControl() takes the rates and steps of DPO's defaults, not of SFT's", async () => {
  using models = await tinyModels();
  using control = freshPolicy(models, { seed: 1 });
  const steps = async (events: ReturnType<typeof trainDpo>) =>
    ofType(await Array.fromAsync(events), "step").map(({ metrics }) => metrics.learning_rate);
  assertEquals(await steps(trainControl(control, PAIRS)), await steps(trainDpo(models, PAIRS)));
});

Deno.test("trainControl() writes control_model beside the run's, and resumes only its own", async () => {
  const outputDir = await Deno.makeTempDir(), loop = { ...LOOP, outputDir };
  using models = await tinyModels();
  const train = async (resumeFrom?: string) => {
    using control = freshPolicy(models, { seed: 1 });
    const events = trainControl(control, PAIRS, { ...loop, resumeFrom });
    return [ofType(await Array.fromAsync(events), "start")[0], copies(control.trainable.values)];
  };
  const [start, values] = await train("auto"); // nothing to go on from: it begins
  assertEquals(start, { ...start, resumedStep: 0 });
  assert(namesIn(join(outputDir, CONTROL_FOLDER)).includes("final_model"));
  assertEquals(namesIn(outputDir), [CONTROL_FOLDER]);
  const [again, same] = await train("auto");
  assertEquals(again, { ...again, resumedStep: 9 });
  assertEquals(same, values);
  await Deno.remove(outputDir, { recursive: true });
});

Deno.test("freshPolicy() frees its adapter alone", async () => {
  using models = await tinyModels();
  const { numTensors } = tf.memory();
  freshPolicy(models, { seed: 1 })[Symbol.dispose]();
  assertEquals(tf.memory().numTensors, numTensors);
  const events = await Array.fromAsync(trainDpo(models, PAIRS, LOOP)); // its weights are there
  assertEquals(ofType(events, "end")[0].reason, "finished");
});
