import type { TrainEvent } from "../../mod.ts";
import { createScreen } from "../../scripts/cli/screen.ts";
import { showTraining } from "../../scripts/cli/show_training.ts";
import { assertEquals } from "../../lib/std.ts";

Deno.test("showTraining() counts up to where the run ends, within an epoch too", async () => {
  const written: string[] = [];
  const screen = createScreen({
    stdout: () => {},
    stderr: (text) => written.push(text),
    isTerminal: false,
  });
  async function* run(): AsyncGenerator<TrainEvent> {
    yield { type: "start", steps: 2, stepsPerEpoch: 10, rowsPerStep: 4, epochs: 2, resumedStep: 0 };
    for (let step = 1; step <= 2; step++) {
      yield { type: "step", step, steps: 2, metrics: { loss: 0.5, tokens: 200 } };
    }
    yield { type: "end", reason: "finished", step: 2, state: {} as never };
  }
  const options = { size: 39, unit: "pairs", outputDir: "out", method: "DPO" } as const;
  await showTraining(run(), { ...screen, signal: new AbortController().signal }, options);
  assertEquals(written.map((line) => line.split(",")[0]), ["Epoch 1/2: 8/8 pairs (100%)"]);
});

Deno.test("showTraining() counts a bar's first step into its speed", async () => {
  const written: string[] = [], clock = { now: 0 };
  const screen = createScreen({
    stdout: () => {},
    stderr: (text) => written.push(text),
    isTerminal: false,
    now: () => clock.now,
  });
  async function* run(): AsyncGenerator<TrainEvent> {
    yield { type: "start", steps: 4, stepsPerEpoch: 2, rowsPerStep: 4, epochs: 2, resumedStep: 0 };
    for (let step = 1; step <= 4; step++) {
      clock.now += 20_000; // of work, and then it is told
      yield { type: "step", step, steps: 4, metrics: { loss: 0.5, tokens: 200 } };
      if (step % 2 !== 0) continue;
      const metrics = { loss: 0.5, chosenPreference: 1 };
      yield { type: "epoch", epoch: step / 2, epochs: 2, train: metrics, validation: metrics };
    }
    yield { type: "end", reason: "finished", step: 4, state: {} as never };
  }
  const options = { size: 8, unit: "pairs", outputDir: "out", method: "DPO" } as const;
  const io = { ...screen, signal: new AbortController().signal };
  assertEquals(await showTraining(run(), io, options), 0);
  const lines = written.map((line) => line.replace(/, [\d.]+ [kMG]B RAM/, "").trimEnd());
  assertEquals(
    lines,
    [1, 2].flatMap((epoch) => [
      `Epoch ${epoch}/2: 8/8 pairs (100%), 0.2 pairs/s, 10 tokens/s, 40s, loss 0.500`,
    ]),
  );
});
