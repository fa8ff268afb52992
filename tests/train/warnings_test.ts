/** That a run listens to its guards; what each of them says is in guards_test.ts. */
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import type { TrainDpoOptions } from "../../lib/train/train_dpo.ts";
import { PAIRS, run, type RunOptions } from "./tiny_runs.ts";

await useBackend({ backend: "cpu" });

/** A rate that no guard speaks of. */
const QUIET = { learningRate: 1e-5 };

/** The warnings of a run, each with the step after which it came. */
async function warningsOf(options: TrainDpoOptions, runOptions: RunOptions = {}) {
  let step = 0;
  const found: [step: number, code: string, message: string][] = [];
  await run({ ...QUIET, ...options }, {
    ...runOptions,
    watch: (event) => {
      if (event.type === "step") step = event.step;
      if (event.type === "warning") found.push([step, event.code, event.message]);
    },
  });
  return found;
}

Deno.test("trainDpo() says at its end that pairs which contradict each other taught nothing", async () => {
  const reversed = PAIRS.map((pair) => ({ ...pair, chosen: pair.rejected, rejected: pair.chosen }));
  const pairs = [...PAIRS, ...reversed];
  const options = { batchSize: pairs.length, gradientAccumulationSteps: 1, epochs: 6 };
  const [[step, code, message], ...others] = await warningsOf(options, { pairs });
  assertEquals([step, code, others], [6, "preference_stuck", []]);
  assert(message.startsWith("Chosen Preference stays at 50 % after half of the run"), message);
});

Deno.test("trainDpo() says once that memory is about to run out, when it does", async () => {
  let readings = 0;
  const memory = () => ({ total: 2 ** 30, available: readings++ < 3 ? 2 ** 29 : 2 ** 20 });
  const [[step, code, message], ...others] = await warningsOf({ memory });
  assertEquals([step, code, others], [4, "memory", []]);
  assert(message.includes("(0.0 of 1.0 GiB are left)"), message);
  assertEquals(readings, 9);
});
