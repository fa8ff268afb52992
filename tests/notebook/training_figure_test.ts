import { trainingFigure, type TrainingState } from "../../lib/notebook/training_figure.ts";
import { watchTraining } from "../../lib/notebook/watch_training.ts";
import type { TrainEvent } from "../../lib/train/train_types.ts";
import { assert, assertEquals } from "../../lib/std.ts";

const step = (n: number) => ({
  ...{ step: n, loss: 1 / n, chosenPreference: 0.5 },
  ...{ "drift/chosen": -n, "drift/rejected": -2 * n },
});
const state = (steps: number, more: Partial<TrainingState> = {}): TrainingState => ({
  steps: Array.from({ length: steps }, (_, i) => step(i + 1)),
  validation: [],
  ...{ totalSteps: 100, resumedStep: 0, elapsedMs: 10_000 },
  ...more,
});
const titleOf = (s: TrainingState) => trainingFigure(s).layout.title!.text;

Deno.test("trainingFigure() tells how far the run is and what time is left", () => {
  assertEquals(titleOf(state(0)), "step 0 of 100");
  assertEquals(titleOf(state(25)), "step 25 of 100, 30s left");
  assertEquals(titleOf(state(100, { end: "finished" })), "step 100 of 100, done in 10s");
  assertEquals(titleOf(state(7, { end: "aborted" })), "stopped at step 7 of 100, after 10s");
});

Deno.test("trainingFigure() counts a resumed run's time from where it went on", () => {
  const steps = [step(51), step(52)];
  assertEquals(
    titleOf(state(0, { steps, resumedStep: 50, elapsedMs: 2000 })),
    "step 52 of 100, 48s left",
  );
});

Deno.test("trainingFigure() shows the panels that a run has numbers for", () => {
  assertEquals(new Set(trainingFigure(state(3)).data.map((trace) => trace.xaxis)).size, 3);
  const sft = state(0, { steps: [{ step: 1, loss: 2 }] });
  assertEquals(trainingFigure(sft).data.map(({ name }) => name), ["loss"]);
});

Deno.test("trainingFigure() keeps curves short, and their means right", () => {
  const [loss] = trainingFigure(state(1000, { totalSteps: 1000 })).data;
  assert(loss.y.length <= 80);
  assertEquals(loss.x[0], 7); // 13 steps a point
  const first = Array.from({ length: 13 }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b) / 13;
  assert(Math.abs(loss.y[0] - first) < 1e-4);
});

Deno.test("trainingFigure() marks what held-out rows said", () => {
  const validation = [{ step: 3, metrics: { loss: 0.5, chosenPreference: 0.9 } }];
  const held = trainingFigure(state(3, { validation })).data.filter(({ mode }) =>
    mode === "markers"
  );
  assertEquals(held.map(({ x, y }) => [x[0], y[0]]), [[3, 0.5], [3, 0.9]]);
});

Deno.test("watchTraining() gathers a run and replaces one picture", async () => {
  async function* events(): AsyncGenerator<TrainEvent> {
    yield { type: "warning", code: "a", message: "careful" };
    const loop = { steps: 2, stepsPerEpoch: 2, rowsPerStep: 1, epochs: 1, resumedStep: 0 };
    yield { type: "start", ...loop };
    for (const n of [1, 2]) yield { type: "step", step: n, steps: 2, metrics: step(n) };
    const validation = { loss: 0.4 };
    yield { type: "epoch", epoch: 1, epochs: 1, train: { loss: 1 }, validation };
    yield { type: "end", reason: "finished", step: 2, state: undefined as never };
  }
  const sent: { type: string; id: unknown; data: Record<string, unknown> }[] = [];
  const page = (type: string, content: Record<string, unknown>) => {
    const { display_id: id } = content.transient as Record<string, unknown>;
    sent.push({ type, id, data: content.data as Record<string, unknown> });
    return Promise.resolve();
  };
  const run = await watchTraining(events(), page);
  assertEquals(run.validation, [{ step: 2, metrics: { loss: 0.4 } }]);
  assertEquals([run.steps.length, run.end, run.warnings.join()], [2, "finished", "careful"]);
  const types = ["display_data", "update_display_data", "display_data"];
  assertEquals(sent.map(({ type }) => type), types);
  assertEquals(sent[0].id, sent[1].id);
  assertEquals(sent[2].data, { "text/plain": "Warning: careful" });
});
