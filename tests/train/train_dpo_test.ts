import { useBackend } from "../../lib/backend/use_backend.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { trainDpo, type TrainDpoOptions } from "../../lib/train/train_dpo.ts";
import type { TrainEvent } from "../../lib/train/train_loop.ts";
import { trainSft } from "../../lib/train/train_sft.ts";
import { randomPairs, tinyModels } from "./tiny_models.ts";

await useBackend({ backend: "cpu" });

const PAIRS = randomPairs(10, 1), VALIDATION = randomPairs(4, 2);
const SETTINGS: TrainDpoOptions = {
  batchSize: 2,
  gradientAccumulationSteps: 2,
  learningRate: 1e-2,
  epochs: 3,
  validation: VALIDATION,
};

/** Runs until the end, or until `stopAfter` steps are done. */
async function run(options: TrainDpoOptions, stopAfter = Infinity) {
  using models = await tinyModels();
  const controller = new AbortController(), events: TrainEvent[] = [];
  for await (
    const event of trainDpo(models, PAIRS, { ...SETTINGS, ...options, signal: controller.signal })
  ) {
    events.push(event);
    if (event.type === "step" && event.step === stopAfter) controller.abort();
  }
  return { events, values: models.trainable.values.map((values) => values.slice()) };
}

const kinds = (events: TrainEvent[], type: TrainEvent["type"]) =>
  events.filter((event) => event.type === type);

Deno.test("trainDpo() learns, reports each step and writes the run", async () => {
  const outputDir = await Deno.makeTempDir();
  const { events } = await run({ outputDir });
  assertEquals(kinds(events, "step").length, 9);
  const epochs = kinds(events, "epoch") as Extract<TrainEvent, { type: "epoch" }>[];
  assertEquals(epochs.length, 3);
  assert(epochs[2].train.loss < epochs[0].train.loss);
  assert(epochs[2].validation!.loss > 0);
  const names = Array.from(Deno.readDirSync(outputDir), ({ name }) => name).sort();
  assertEquals(names, [
    "checkpoint_epoch_1",
    "checkpoint_epoch_2",
    "checkpoint_epoch_3",
    "dpo_training_stats.json",
    "final_model",
    "reference_train.json",
    "reference_validation.json",
  ]);
  const final = Array.from(Deno.readDirSync(`${outputDir}/final_model`), ({ name }) => name).sort();
  assertEquals(final, [
    "adapter_config.json",
    "adapter_model.bin",
    "adapter_model.safetensors",
    "dpo_config.json",
    "generation_config.json",
    "tokenizer.json",
  ]);
  const stats = JSON.parse(await Deno.readTextFile(`${outputDir}/dpo_training_stats.json`));
  assertEquals(stats.steps.length, 9);
  assert(stats.pairs_per_second > 0 && stats.peak_memory_bytes > 0);
});

for (const stopAfter of [2, 3, 5]) {
  Deno.test(`trainDpo() resumed after step ${stopAfter} ends bit-equal`, async () => {
    const whole = await run({});
    const outputDir = await Deno.makeTempDir();
    const first = await run({ outputDir }, stopAfter);
    assertEquals((first.events.at(-1) as { reason: string }).reason, "aborted");
    const second = await run({ outputDir, resumeFrom: "auto" });
    assertEquals(second.values, whole.values);
    const last = (events: TrainEvent[]) => {
      const epoch = kinds(events, "epoch").at(-1) as Extract<TrainEvent, { type: "epoch" }>;
      return [epoch.train.loss, epoch.validation!.loss];
    };
    assertEquals(last(second.events), last(whole.events));
  });
}

Deno.test("trainDpo() refuses to resume a run of other settings", async () => {
  const outputDir = await Deno.makeTempDir();
  await run({ outputDir }, 2);
  let message = "";
  await run({ outputDir, resumeFrom: "auto", beta: 0.5 }).catch((error) => message = error.message);
  assert(/Cannot resume from .*its beta is 0.1, this run's 0.5/.test(message), message);
});

Deno.test("trainDpo() warns of a high rate, and names the rows where the loss breaks", async () => {
  using models = await tinyModels();
  const events: TrainEvent[] = [];
  let message = "";
  models.trainable.values[1].fill(NaN);
  models.trainable.refresh();
  try {
    for await (const event of trainDpo(models, PAIRS, SETTINGS)) events.push(event);
  } catch (error) {
    message = (error as Error).message;
  }
  assert((events[0] as { message: string }).message.includes("above 1e-5"));
  assert(
    /Cannot go on at step 1: loss NaN .* on rows \d+, \d+, \d+, \d+ are not both finite/.test(
      message,
    ),
    message,
  );
});

Deno.test("trainSft() with all weights learns and writes a Hugging Face folder", async () => {
  using models = await tinyModels({ allWeights: true });
  const outputDir = await Deno.makeTempDir();
  const examples = PAIRS.map(({ index, prompt, chosen }) => ({
    index,
    prompt,
    completion: chosen,
  }));
  const losses: number[] = [];
  const options = { outputDir, epochs: 12, batchSize: 5, learningRate: 1e-2 };
  for await (const event of trainSft(models, examples, options)) {
    if (event.type === "epoch") losses.push(event.train.loss);
  }
  assert(losses[11] < losses[0] / 2, losses.join());
  const names = Array.from(Deno.readDirSync(`${outputDir}/final_model`), ({ name }) => name).sort();
  assertEquals(names, [
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "sft_config.json",
    "tokenizer.json",
  ]);
});

Deno.test("trainDpo() lets timers and signals run between its steps", async () => {
  using models = await tinyModels();
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 0);
  let steps = 0;
  const options = { ...SETTINGS, epochs: 10_000, signal: controller.signal };
  for await (const event of trainDpo(models, PAIRS, options)) {
    if (event.type === "step") steps++;
    if (event.type === "end") assertEquals(event.reason, "aborted");
  }
  assert(steps < 100, `${steps} steps passed before a timer of 0 ms ran`);
});
