import { learningRateAt, type LearningRateAtOptions } from "../../lib/optim/schedule.ts";
import { assertClose } from "../close.ts";

const golden: { schedules: (LearningRateAtOptions & { rates: number[] })[] } = JSON.parse(
  await Deno.readTextFile(new URL("../golden/optim.json", import.meta.url)),
);

for (const { rates, ...options } of golden.schedules) {
  const { schedule, totalSteps, warmupRatio } = options;
  Deno.test(`learningRateAt() equals transformers: ${schedule}, ${totalSteps} steps, warm-up ${warmupRatio}`, () => {
    const ours = rates.map((_, step) => learningRateAt(step, options));
    // Past the run's end transformers' cosine rises again; the run has no such step.
    const count = schedule === "cosine" ? totalSteps + 1 : rates.length;
    assertClose(ours.slice(0, count), rates.slice(0, count), { absolute: 1e-18, relative: 1e-12 });
  });
}
