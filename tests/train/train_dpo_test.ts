import * as tf from "@tensorflow/tfjs";
import { join } from "node:path";
import { presentBackends } from "../backend/backends.ts";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { learningRateAt } from "../../lib/optim/schedule.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { trainDpo, type TrainDpoOptions } from "../../lib/train/train_dpo.ts";
import { trainLoop } from "../../lib/train/train_loop.ts";
import { LOOP_DEFAULTS, type TrainEvent, type TrainTask } from "../../lib/train/train_types.ts";
import { zeroGradients } from "../../lib/train/update_step.ts";
import { assertClose } from "../close.ts";
import { userError } from "../io/damage.ts";
import { tinyModels } from "./tiny_models.ts";
import { namesIn, ofType, PAIRS, run, SETTINGS, stepNumbers } from "./tiny_runs.ts";

const ORIGIN = { file: { path: "data.jsonl", sha256: "0" }, invalid: 0, dropped: 0 };
const noRow = (set: string) => `Cannot train: the ${set} set has no row`;
const BACKENDS = await presentBackends();
await useBackend({ backend: "cpu" });

Deno.test("trainDpo() learns, reports each step and writes the run", async () => {
  const outputDir = await Deno.makeTempDir();
  const { events } = await run({ outputDir });
  assertEquals(ofType(events, "step").map(({ step }) => step), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const epochs = ofType(events, "epoch");
  assertEquals(epochs.length, 3);
  assert(epochs[2].train.loss < epochs[0].train.loss);
  assert(epochs[2].validation!.loss > 0);
  assertEquals(namesIn(outputDir), [
    "checkpoint_epoch_1",
    "checkpoint_epoch_2",
    "checkpoint_epoch_3",
    "dpo_training_stats.json",
    "final_model",
    "reference_train.json",
    "reference_validation.json",
  ]);
  assertEquals(namesIn(join(outputDir, "final_model")), [
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

Deno.test("trainDpo() begins at ln 2: exactly on plain JavaScript, elsewhere up to float32's rounding", async () => {
  for (const backend of BACKENDS) {
    await useBackend({ backend });
    const { events } = await run({ maxSteps: 1 });
    const [{ metrics }] = ofType(events, "step");
    // The reference was asked in other batches than the step's, and a kernel may add up otherwise.
    assertClose(metrics.loss, Math.LN2, { absolute: backend === "cpu" ? 0 : 2e-6 });
  }
  await useBackend({ backend: "cpu" });
});

Deno.test("trainDpo() asks the reference only about pairs that the run takes", async () => {
  const { events } = await run({ maxSteps: 1, validation: undefined });
  assertEquals(ofType(events, "reference").at(-1), { type: "reference", done: 4, total: 4 });
  const whole = await run({ validation: undefined });
  assertEquals(ofType(whole.events, "reference").at(-1)?.total, PAIRS.length);
  const [first] = stepNumbers(whole.events), [trial] = stepNumbers(events);
  assertEquals({ ...trial, learning_rate: 0 }, { ...first, learning_rate: 0 });
});

Deno.test("trainDpo() follows the learning rate's schedule over the whole run", async () => {
  const { events } = await run({ schedule: "cosine", warmupRatio: 0.3 });
  const options = {
    schedule: "cosine",
    learningRate: 1e-2,
    warmupRatio: 0.3,
    totalSteps: 9,
  } as const;
  assertEquals(
    stepNumbers(events).map(({ learning_rate }) => learning_rate),
    Array.from({ length: 9 }, (_, step) => learningRateAt(step, options)),
  );
});

Deno.test("trainDpo() warns of a high rate, and names the rows where the loss breaks", async () => {
  using models = await tinyModels();
  const events: TrainEvent[] = [];
  models.trainable.values[1].fill(NaN);
  models.trainable.refresh();
  const training = async () => {
    for await (const event of trainDpo(models, PAIRS, SETTINGS)) events.push(event);
  };
  const { message } = await userError(training());
  assertEquals(ofType(events, "warning").map(({ code }) => code), ["learning_rate"]);
  assert(
    /^Cannot go on at step 1: loss NaN .* on rows \d+, \d+, \d+, \d+ of the training set \(as loaded: blank lines, bad rows and rows kept for validation are not counted\) are not/
      .test(message),
    message,
  );
  assert(message.includes("This step was not taken, no checkpoint was written. Look at"), message);
});

Deno.test("trainDpo() keeps the last checkpoint when the loss breaks", async () => {
  using models = await tinyModels();
  const outputDir = await Deno.makeTempDir(), name = "model.norm.weight";
  const weights = models.network.weights as Map<string, tf.Tensor>;
  let kept: Float32Array[] = [];
  const training = async () => {
    for await (const event of trainDpo(models, PAIRS, { ...SETTINGS, outputDir })) {
      if (event.type !== "checkpoint") continue;
      kept = models.trainable.values.map((values) => values.slice());
      weights.get(name)!.dispose();
      weights.set(name, tf.fill([models.network.config.hiddenSize], NaN));
    }
  };
  const { message } = await userError(training());
  assert(message.startsWith("Cannot go on at step 4: loss NaN and gradient norm NaN on "), message);
  const checkpoint = join(outputDir, "checkpoint_epoch_1");
  const good = `and the last checkpoint "${checkpoint}" is good: --resume goes on from it, with `;
  assert(message.includes(`This step was not taken, ${good}`), message);
  assertEquals(models.trainable.values, kept);
  assert(namesIn(outputDir).includes("checkpoint_epoch_1"));
  assert(!namesIn(outputDir).includes("final_model"));
});

Deno.test("trainLoop() takes no step on an endless loss, even if its gradient is finite", async () => {
  using models = await tinyModels();
  const before = models.trainable.values.map((values) => values.slice());
  const task: TrainTask = {
    models,
    size: 4,
    run: {},
    gradients: () =>
      Promise.resolve({
        gradients: zeroGradients(models).map((gradient) => gradient.fill(1)),
        metrics: { loss: Infinity },
        weight: 1,
        tokens: 1,
      }),
    validate: () => Promise.resolve(null),
    save: () => Promise.resolve(),
    nameRows: (rows) => `${rows.length} rows`,
    judge: () => [],
  };
  const options = { ...LOOP_DEFAULTS, batchSize: 4, learningRate: 1, warmupRatio: 0 };
  const { message } = await userError(Array.fromAsync(trainLoop(task, options)));
  assert(message.startsWith("Cannot go on at step 1: loss Infinity and "), message);
  assertEquals(models.trainable.values, before);
});

Deno.test("trainDpo() with a gradient limit of 0 does not clip", async () => {
  const [free, clipped, none] = [
    await run({ maxGradNorm: 1e9 }),
    await run({ maxGradNorm: 1e-3 }),
    await run({ maxGradNorm: 0 }),
  ];
  assertEquals(none.values, free.values);
  assert(JSON.stringify(clipped.values) !== JSON.stringify(free.values));
});

Deno.test("trainDpo() a second time begins with a fresh optimiser", async () => {
  using models = await tinyModels();
  for (let i = 0; i < 2; i++) {
    for await (const _ of trainDpo(models, PAIRS, { ...SETTINGS, maxSteps: 4 }));
    assertEquals(models.optimizer!.step, 4);
  }
});

Deno.test("trainDpo() stopped during the reference pass leaves nothing half-written", async () => {
  for (const [stopAt, left] of [[0, []], [1, ["reference_train.json"]]] as const) {
    using models = await tinyModels();
    const outputDir = await Deno.makeTempDir(), controller = new AbortController();
    const options = { ...SETTINGS, outputDir, signal: controller.signal };
    const events: TrainEvent[] = [];
    let passes = 0;
    for await (const event of trainDpo(models, PAIRS, options)) {
      events.push(event);
      if (event.type === "reference" && event.done === event.total) passes++;
      else if (event.type === "reference" && event.done > 0 && passes === stopAt) {
        controller.abort();
      }
    }
    const [{ reason, step }] = ofType(events, "end");
    assertEquals([reason, step, ofType(events, "step").length], ["aborted", 0, 0]);
    assertEquals(namesIn(outputDir), [...left]);
  }
});

Deno.test("trainDpo() says before it computes what keeps it from training", async () => {
  const outputDir = await Deno.makeTempDir(), file = join(outputDir, "file");
  await Deno.writeTextFile(file, "");
  const cases: [TrainDpoOptions, string][] = [
    [{ validation: [] }, `${noRow("validation")}; wanted at least one`],
    [
      {
        validation: [],
        origin: { validation: { ...ORIGIN, dropped: 7, firstReason: "too long" } },
      },
      `${
        noRow("validation")
      }: all 7 were left out, the first because: too long. Raise --max_length`,
    ],
    [{ beta: 0 }, "Cannot compute loss: beta must be a number above 0, found 0"],
    [
      { lossType: ["sigmoid", "sft"], lossWeights: [1] },
      "Cannot combine losses: each of loss_type needs one of loss_weights, found 2 (sigmoid,sft) " +
      "and 1 (1)",
    ],
    [
      { outputDir: file },
      `Cannot write "${file}": a file stands where a folder is needed`,
    ],
    [
      { outputDir: join(file, "out") },
      `Cannot write "${join(file, "out")}": a file stands where a folder is needed`,
    ],
    [{ outputDir, resumeFrom: "auto" }, `Cannot resume: "${outputDir}" holds no checkpoint`],
    [
      { resumeFrom: join(outputDir, "gone") },
      `Cannot read "${
        join(outputDir, "gone", "training_state.json")
      }": there is no such file or folder`,
    ],
  ];
  for (const [options, wanted] of cases) {
    const events: TrainEvent[] = [];
    const { message } = await userError(run(options, { watch: (event) => events.push(event) }));
    assertEquals([message, events], [wanted, []]);
  }
  using models = await tinyModels();
  const nothing = trainDpo(models, [], SETTINGS).next();
  assertEquals((await userError(nothing)).message, `${noRow("training")}; wanted at least one`);
  assertEquals(namesIn(outputDir), ["file"]);
});
