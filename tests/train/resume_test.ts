import { join } from "node:path";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { readTrainState } from "../../lib/train/train_state.ts";
import { trainDpo, type TrainDpoOptions } from "../../lib/train/train_dpo.ts";
import { trainSft } from "../../lib/train/train_sft.ts";
import { presentBackends } from "../backend/backends.ts";
import { userError } from "../io/damage.ts";
import { shake, tinyModels } from "./tiny_models.ts";
import {
  checkpointsIn,
  lastLosses,
  namesIn,
  ofType,
  PAIRS,
  run,
  SETTINGS,
  stepNumbers,
} from "./tiny_runs.ts";

// A software adapter of WebGPU would take ten seconds here.
const BACKENDS = (await presentBackends()).filter((name) => name !== "webgpu");
await useBackend({ backend: "cpu" });

for (const backend of BACKENDS) {
  Deno.test(`trainDpo() resumed ends bit-equal to an uninterrupted run on ${backend}`, async () => {
    await useBackend({ backend });
    const whole = await run({});
    for (const stopAfter of [2, 3, 5]) {
      const outputDir = await Deno.makeTempDir();
      const first = await run({ outputDir }, { stopAfter });
      assertEquals(ofType(first.events, "end")[0].reason, "aborted");
      const second = await run({ outputDir, resumeFrom: "auto" });
      assertEquals(ofType(second.events, "start")[0].resumedStep, stopAfter);
      assertEquals(second.values, whole.values);
      assertEquals(lastLosses(second.events), lastLosses(whole.events));
      assertEquals(stepNumbers(second.events), stepNumbers(whole.events)); // the schedule too
    }
    await useBackend({ backend: "cpu" });
  });
}

Deno.test("trainDpo() resumed ends bit-equal with a loss over the whole step, tails and weights", async () => {
  const losses: TrainDpoOptions[] = [
    { lossType: ["aot", "sft"], ldAlpha: 0.5 },
    { lossType: ["bco_pair", "apo_zero"], useWeighting: true },
  ];
  for (const loss of losses) {
    const whole = await run(loss), outputDir = await Deno.makeTempDir();
    await run({ ...loss, outputDir }, { stopAfter: 4 });
    const second = await run({ ...loss, outputDir, resumeFrom: "auto" });
    assertEquals(second.values, whole.values);
    assertEquals(lastLosses(second.events), lastLosses(whole.events));
    const other = await userError(run({ ...loss, ldAlpha: 0.25, outputDir, resumeFrom: "auto" }));
    const wanted = `its ld_alpha is ${loss.ldAlpha ?? null}, this run's 0.25`;
    assert(other.message.endsWith(wanted), other.message);
  }
});

Deno.test("trainSft() resumed ends bit-equal, with an adapter and with all weights", async () => {
  const examples = PAIRS.map(({ index, prompt, chosen }) => ({
    index,
    prompt,
    completion: chosen,
  }));
  const train = async (
    options: { outputDir?: string; resumeFrom?: string },
    { allWeights, stopAfter }: { allWeights: boolean; stopAfter?: number },
  ) => {
    using models = await tinyModels({ allWeights });
    const controller = new AbortController(), signal = controller.signal;
    const settings = { ...options, signal, batchSize: 3, learningRate: 1e-2, epochs: 2 };
    for await (const event of trainSft(models, examples, settings)) {
      if (event.type === "step" && event.step === stopAfter) controller.abort();
    }
    return models.trainable.values.map((values) => values.slice());
  };
  for (const allWeights of [false, true]) {
    const whole = await train({}, { allWeights }), outputDir = await Deno.makeTempDir();
    await train({ outputDir }, { allWeights, stopAfter: 3 });
    assertEquals(checkpointsIn(outputDir), [
      "checkpoint_step_3",
    ]);
    assertEquals(await train({ outputDir, resumeFrom: "auto" }, { allWeights }), whole);
  }
});

Deno.test("trainDpo() keeps each epoch's checkpoint and the newest one between epochs", async () => {
  const outputDir = await Deno.makeTempDir(), seen: string[][] = [];
  await run({ outputDir, saveSteps: 1, epochs: 2 }, {
    watch: (event) => event.type === "checkpoint" && seen.push(checkpointsIn(outputDir)),
  });
  assertEquals(seen, [
    ["checkpoint_step_1"],
    ["checkpoint_step_2"],
    ["checkpoint_epoch_1"],
    ["checkpoint_epoch_1", "checkpoint_step_4"],
    ["checkpoint_epoch_1", "checkpoint_step_5"],
    ["checkpoint_epoch_1", "checkpoint_epoch_2"],
  ]);
});

Deno.test("trainDpo() stopped right after a checkpoint does not write it twice", async () => {
  const outputDir = await Deno.makeTempDir();
  const { events } = await run({ outputDir }, {
    watch: (event, stop) => event.type === "checkpoint" && stop(),
  });
  assertEquals(ofType(events, "checkpoint").map(({ step }) => step), [3]);
  assertEquals(checkpointsIn(outputDir), [
    "checkpoint_epoch_1",
  ]);
});

Deno.test("trainDpo() killed before final_model was written writes it on resuming", async () => {
  const outputDir = await Deno.makeTempDir(), final = join(outputDir, "final_model");
  const whole = await run({ outputDir });
  const files = () => Promise.all(namesIn(final).map((name) => Deno.readFile(join(final, name))));
  const wanted = await files();
  await Deno.remove(final, { recursive: true });
  const resumed = await run({ outputDir, resumeFrom: "auto" });
  assertEquals(ofType(resumed.events, "step").length, 0);
  assertEquals(resumed.values, whole.values);
  assertEquals(await files(), wanted);
});

Deno.test("trainDpo() resumes its own checkpoint, not the further one of another run", async () => {
  const outputDir = await Deno.makeTempDir();
  const { events: other } = await run({ outputDir, beta: 0.5 });
  assertEquals(ofType(other, "warning").map(({ code }) => code), ["learning_rate"]);
  const { events: first } = await run({ outputDir }, { stopAfter: 4 });
  const warning = ofType(first, "warning").find(({ code }) => code === "leftover_checkpoints");
  assertEquals(
    warning?.message,
    `"${outputDir}" holds checkpoints of another run (its beta is 0.5, this run's 0.1); those of ` +
      "the same name are written over, others stay. Another --output_dir keeps the runs apart.",
  );
  const second = await run({ outputDir, resumeFrom: "auto" });
  assertEquals(ofType(second.events, "start")[0].resumedStep, 4);
  assertEquals(second.values, (await run({})).values);
});

Deno.test("trainDpo() begun anew over its own checkpoints says that it could go on", async () => {
  const outputDir = await Deno.makeTempDir();
  await run({ outputDir }, { stopAfter: 4 });
  const { events } = await run({ outputDir, maxSteps: undefined });
  const { message } = ofType(events, "warning").find(({ code }) => code.startsWith("leftover"))!;
  assert(message.includes("of this very run, up to step 4;"), message);
});

Deno.test("trainDpo() refuses to resume a run of other settings, and says which", async () => {
  const outputDir = await Deno.makeTempDir();
  await run({ outputDir }, { stopAfter: 2 });
  const folder = join(outputDir, "checkpoint_step_2");
  for (const resumeFrom of ["auto", folder]) {
    const { message } = await userError(run({ outputDir, resumeFrom, beta: 0.5 }));
    assertEquals(message, `Cannot resume from "${folder}": its beta is 0.1, this run's 0.5`);
    const faster = await userError(run({ outputDir, resumeFrom, learningRate: 5e-5 }));
    assert(faster.message.endsWith("this run's 5e-5"), faster.message);
  }
});

Deno.test("trainDpo() goes on beyond the length that was planned first, and says so", async () => {
  const outputDir = await Deno.makeTempDir();
  const trial = await run({ outputDir, maxSteps: 2 });
  assertEquals(ofType(trial.events, "end")[0].reason, "finished");
  const longer = await run({ outputDir, resumeFrom: "auto", epochs: 4 });
  assertEquals(ofType(longer.events, "start")[0].resumedStep, 2);
  assertEquals(ofType(longer.events, "end")[0].step, 12);
  const { message } = ofType(longer.events, "warning").find(({ code }) => code === "run_length")!;
  assert(message.startsWith("This run was to end after 2 steps and now ends after 12:"), message);
  const rates = stepNumbers(longer.events).map(({ learning_rate }) => learning_rate);
  const whole = stepNumbers((await run({ epochs: 4 })).events);
  assertEquals(rates.slice(2), whole.slice(2).map(({ learning_rate }) => learning_rate));
  const again = await run({ outputDir, resumeFrom: "auto", maxSteps: 3 });
  assertEquals(ofType(again.events, "start")[0].resumedStep, 3); // the longer run's first epoch
  await Deno.remove(join(outputDir, "checkpoint_epoch_1"), { recursive: true });
  await Deno.remove(join(outputDir, "checkpoint_step_2"), { recursive: true });
  const { message: refused } = await userError(
    run({ outputDir, resumeFrom: "auto", maxSteps: 1 }),
  );
  assertEquals(
    refused,
    `Cannot resume from "${join(outputDir, "checkpoint_epoch_4")}": it stands at step 12, and ` +
      "this run ends after 1; raise --max_steps or --num_epochs, or begin anew in another " +
      "--output_dir",
  );
});

Deno.test("trainDpo() of another length, begun anew, says so and leaves the other's checkpoints", async () => {
  const outputDir = await Deno.makeTempDir();
  await run({ outputDir }, { stopAfter: 4 });
  const { events } = await run({ outputDir, maxSteps: 2 });
  const { message } = ofType(events, "warning").find(({ code }) => code.startsWith("leftover"))!;
  assert(message.includes("of another run (it has 9 steps, this run 2); those of"), message);
  assertEquals(checkpointsIn(outputDir), [
    ...["checkpoint_epoch_1", "checkpoint_step_2", "checkpoint_step_4"],
  ]);
  const longer = await run({ outputDir, resumeFrom: "auto", maxSteps: 2 });
  assertEquals(ofType(longer.events, "start")[0].resumedStep, 2);
});

Deno.test("trainDpo() resumed to the same length by other flags is the same run", async () => {
  const outputDir = await Deno.makeTempDir(), whole = await run({});
  await run({ outputDir, maxSteps: 9 }, { stopAfter: 4 });
  const { events, values } = await run({ outputDir, resumeFrom: "auto" });
  assertEquals(ofType(events, "warning").filter(({ code }) => code === "run_length"), []);
  assertEquals(values, whole.values);
});

Deno.test("trainDpo() resumes a model that has moved, for its weights are the same", async () => {
  const outputDir = await Deno.makeTempDir();
  await run({ outputDir }, { stopAfter: 2 });
  using models = await tinyModels();
  const moved = { ...models, source: { ...models.source, path: "elsewhere/tiny" } };
  const resumed = trainDpo(moved, PAIRS, { ...SETTINGS, outputDir, resumeFrom: "auto" });
  const events = await Array.fromAsync(resumed);
  assertEquals(ofType(events, "start")[0].resumedStep, 2);
  const retrained = { ...models, source: { ...models.source, hash: "another" } };
  const refused = trainDpo(retrained, PAIRS, { ...SETTINGS, outputDir, resumeFrom: "auto" });
  const { message } = await userError(refused.next());
  assert(message.endsWith(": it was trained over another model"), message);
});

Deno.test("trainDpo() says so when it goes on with another backend", async () => {
  const outputDir = await Deno.makeTempDir();
  await run({ outputDir }, { stopAfter: 2 });
  await useBackend({ backend: "wasm" });
  const { events } = await run({ outputDir, resumeFrom: "auto" }, { stopAfter: 4 });
  await useBackend({ backend: "cpu" });
  const { message } = ofType(events, "warning").find(({ code }) => code === "backend")!;
  assert(
    /^This run was begun on tfjs .* JavaScript .* goes on on tfjs .* WebAssembly/.test(message),
  );
});

Deno.test("readTrainState() refuses a damaged checkpoint and leaves the models alone", async () => {
  const outputDir = await Deno.makeTempDir(), folder = join(outputDir, "checkpoint_epoch_3");
  await run({ outputDir });
  const path = join(folder, "training_state.safetensors");
  const whole = await Deno.readFile(path);
  using models = await tinyModels();
  shake(models, 3);
  const before = models.trainable.values.map((values) => values.slice());
  const cut = async () => {
    await Deno.writeFile(path, whole.slice(0, -8));
    await readTrainState(folder, models, {});
  };
  const { message } = await userError(cut());
  assert(message.includes(path), message);
  using other = await tinyModels({ config: { hiddenSize: 8 } });
  await Deno.writeFile(path, whole);
  assertEquals(
    (await userError(readTrainState(folder, other, {}))).message,
    `Cannot resume from "${folder}": "parameter/model.layers.0.self_attn.q_proj.lora_A.weight" ` +
      "must be [2, 8], found [2, 12]",
  );
  assertEquals(models.trainable.values, before);
});

Deno.test("trainDpo() passes over a checkpoint that is not complete", async () => {
  const outputDir = await Deno.makeTempDir();
  await run({ outputDir }, { stopAfter: 5 });
  await Deno.writeTextFile(join(outputDir, "checkpoint_step_5", "training_state.json"), "{");
  const { events } = await run({ outputDir, resumeFrom: "auto" });
  assertEquals(ofType(events, "start")[0].resumedStep, 3);
});
