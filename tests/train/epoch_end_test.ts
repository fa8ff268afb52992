/** What happens where an epoch ends, or a run within one. */
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assertEquals } from "../../lib/std.ts";
import { trainSft } from "../../lib/train/train_sft.ts";
import type { TrainEvent } from "../../lib/train/train_types.ts";
import type { EncodedPair } from "../../lib/types.ts";
import { tinyModels } from "./tiny_models.ts";
import {
  checkpointsIn,
  lastLosses,
  namesIn,
  ofType,
  PAIRS,
  run,
  stepNumbers,
  VALIDATION,
} from "./tiny_runs.ts";

await useBackend({ backend: "cpu" });

/** A row that does something the next time when its answer is read, once `arm` was called. */
function trap<Row extends object>(row: Row, key: keyof Row) {
  let onRead: (() => void) | undefined;
  const read = () => {
    onRead?.();
    return row[key];
  };
  const trapped = Object.defineProperty({ ...row }, key, { get: read, enumerable: true });
  return { row: trapped, arm: (then: () => void) => onRead = then };
}

/** Runs until step 3 or 9, the last of its epoch, and is stopped while that epoch is judged. */
async function stopInValidation(outputDir: string, step: number): Promise<TrainEvent[]> {
  const { row, arm } = trap<EncodedPair>(VALIDATION[0], "chosen");
  const { events } = await run({ outputDir, validation: [row, ...VALIDATION.slice(1)] }, {
    watch: (event, stop) => event.type === "step" && event.step === step && arm(stop),
  });
  return events;
}

Deno.test("trainDpo() stopped while an epoch is judged ends with a checkpoint that judges it", async () => {
  const whole = await run({});
  for (const [step, epochs] of [[3, ["1", "2", "3"]], [9, ["3"]]] as const) {
    const outputDir = await Deno.makeTempDir();
    const stopped = await stopInValidation(outputDir, step);
    assertEquals(ofType(stopped, "end").map(({ reason, step }) => [reason, step]), [
      ["aborted", step],
    ]);
    assertEquals(checkpointsIn(outputDir).at(-1), `checkpoint_step_${step}`);
    const resumed = await run({ outputDir, resumeFrom: "auto" });
    assertEquals(ofType(resumed.events, "epoch").map(({ epoch }) => `${epoch}`), [...epochs]);
    assertEquals(resumed.values, whole.values);
    assertEquals(lastLosses(resumed.events), lastLosses(whole.events));
    assertEquals(stepNumbers(resumed.events), stepNumbers(whole.events));
    const [[again], [once]] = [resumed, whole].map(({ events }) => ofType(events, "end"));
    assertEquals(again.state.epochLog, once.state.epochLog);
    assertEquals(checkpointsIn(outputDir), [1, 2, 3].map((epoch) => `checkpoint_epoch_${epoch}`));
  }
});

Deno.test("trainSft() stopped while an epoch is judged ends with a checkpoint that judges it", async () => {
  const examples = PAIRS.map(({ index, prompt, chosen }) => ({
    index,
    prompt,
    completion: chosen,
  }));
  const outputDir = await Deno.makeTempDir(), controller = new AbortController();
  const { row, arm } = trap(examples[0], "completion");
  const train = async (options: { resumeFrom?: string; signal?: AbortSignal }) => {
    using models = await tinyModels();
    const validation = [row, ...examples.slice(1, 3)], events: TrainEvent[] = [];
    const settings = { ...options, validation, outputDir, batchSize: 2, epochs: 1 };
    for await (const event of trainSft(models, examples, settings)) {
      events.push(event);
      if (event.type === "step" && event.step === 5) arm(() => controller.abort());
    }
    return events;
  };
  const stopped = await train({ signal: controller.signal });
  assertEquals(ofType(stopped, "end")[0].reason, "aborted");
  assertEquals(checkpointsIn(outputDir), ["checkpoint_step_5"]);
  const resumed = await train({ resumeFrom: "auto" });
  assertEquals(resumed.map(({ type }) => type), ["start", "epoch", "checkpoint", "end"]);
  assertEquals(checkpointsIn(outputDir), ["checkpoint_epoch_1"]);
});

Deno.test("trainDpo() that maxSteps ends within an epoch calls it by its step", async () => {
  const outputDir = await Deno.makeTempDir(), ended = { outputDir, maxSteps: 4 };
  const { events, values } = await run(ended);
  assertEquals(ofType(events, "epoch").map(({ epoch }) => epoch), [1, 1.33]);
  assertEquals(checkpointsIn(outputDir), ["checkpoint_epoch_1", "checkpoint_step_4"]);
  assertEquals(namesIn(outputDir).includes("final_model"), true);
  await Deno.remove(`${outputDir}/final_model`, { recursive: true });
  const resumed = await run({ ...ended, resumeFrom: "auto" });
  assertEquals(resumed.events.map(({ type }) => type), ["warning", "start", "end"]);
  assertEquals(resumed.values, values);
  assertEquals(namesIn(outputDir).includes("final_model"), true);
});

Deno.test("trainDpo() that maxSteps ends with an epoch calls it by its epoch", async () => {
  const outputDir = await Deno.makeTempDir();
  const { events } = await run({ outputDir, maxSteps: 6, saveSteps: 2 });
  assertEquals(ofType(events, "epoch").map(({ epoch }) => epoch), [1, 2]);
  assertEquals(checkpointsIn(outputDir), ["checkpoint_epoch_1", "checkpoint_epoch_2"]);
});
