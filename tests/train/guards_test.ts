import {
  createMemoryGuard,
  createPreferenceGuards,
  type GuardedMetrics,
  lengthWarnings,
  memoryReader,
  rateWarnings,
  settingsWarnings,
  startWarnings,
} from "../../lib/train/guards.ts";
import type { LossOptions } from "../../lib/loss/loss_options.ts";
import { type LossType, lossTypes } from "../../lib/loss/loss_types.ts";
import { assert, assertEquals } from "../../lib/std.ts";

const STEPS = 20;
/** A step of a run that goes well. */
const WELL = { chosenPreference: 0.7, "drift/chosen": 0.5, "drift/rejected": -2, pairs: 4 };

/** Warnings of a run whose steps all read the same, with the step at which each came. */
function warningsOf(
  metrics: Partial<GuardedMetrics>,
  { steps = 3 * STEPS, total = steps }: { steps?: number; total?: number } = {},
): [step: number, code: string][] {
  const guard = createPreferenceGuards(), found: [number, string][] = [];
  const full = { ...WELL, ...metrics };
  for (let step = 1; step <= steps; step++) {
    for (const { code } of guard(full, step / total)) found.push([step, code]);
  }
  return found;
}

Deno.test("settingsWarnings() warns of a learning rate above 1e-5 and of no other", () => {
  assertEquals(settingsWarnings({ learningRate: 1e-5 }), []);
  const [{ code, message }] = settingsWarnings({ learningRate: 2e-5 });
  assertEquals(code, "learning_rate");
  assert(message.startsWith("Learning rate 2e-5 is above 1e-5: DPO may push both answers"));
});

Deno.test("startWarnings() tells of discopop's wrong slope at the start, and of no other loss", () => {
  const wrong = (1 - Math.LN2) / 3; // where (1 - ln 2) / (4 tau), which pulls down, equals 3/4
  const codes = (loss: Partial<LossOptions>) =>
    startWarnings({ beta: 0.1, ...loss }).map(({ code }) => code);
  assertEquals(codes({ lossType: "discopop" }), ["wrong_start"]);
  assertEquals(codes({ lossType: "discopop", discopopTau: wrong - 1e-6 }), ["wrong_start"]);
  assertEquals(codes({ lossType: "discopop", discopopTau: wrong + 1e-6 }), []);
  assertEquals(codes({ lossType: ["discopop", "sigmoid"], lossWeights: [1, 2] }), []);
  for (const name of Object.keys(lossTypes) as LossType[]) {
    if (name === "discopop") continue;
    const labelSmoothing = name === "exo_pair" ? 1e-3 : undefined;
    assertEquals(codes({ lossType: name, labelSmoothing, ldAlpha: 0.5 }), [], name);
  }
});

Deno.test("rateWarnings() tells of a run whose every step has rate 0", () => {
  const options = { schedule: "linear", learningRate: 1, warmupRatio: 0.1 } as const;
  assertEquals(rateWarnings(1, options).map(({ code }) => code), ["no_rate"]);
  assertEquals(rateWarnings(2, options), []);
  assertEquals(rateWarnings(1, { ...options, warmupRatio: 0 }), []);
});

Deno.test("lengthWarnings() tells of rows that are longer than the model's positions", () => {
  assertEquals(lengthWarnings([64, 3], 64), []);
  const [{ code, message }] = lengthWarnings([64, 65, 3, 90], 64);
  assertEquals(code, "long_rows");
  assert(
    message.startsWith("2 of 4 rows are longer than the 64 tokens that this model was made for"),
  );
  assert(message.includes("(the longest has 90)"));
});

Deno.test("createPreferenceGuards() has nothing to say of a run that goes well", () => {
  assertEquals(warningsOf({}), []);
  assertEquals(warningsOf({ "drift/chosen": -0.9, chosenPreference: 0.94 }), []);
});

Deno.test("createPreferenceGuards() says once that chosen answers lose likelihood", () => {
  assertEquals(warningsOf({ "drift/chosen": -1.1 }), [[STEPS, "chosen_falls"]]);
});

Deno.test("createPreferenceGuards() says once that preference is very high", () => {
  assertEquals(warningsOf({ chosenPreference: 0.96 }), [[STEPS, "preference_high"]]);
});

Deno.test("createPreferenceGuards() says nothing of a high preference by next to nothing", () => {
  const near = (apart: number) =>
    warningsOf({ chosenPreference: 1, "drift/chosen": 0.1, "drift/rejected": 0.1 - apart });
  assertEquals(near(0.9), []);
  assertEquals(near(1.1), [[STEPS, "preference_high"]]);
});

Deno.test("createPreferenceGuards() says once, after half of the run, that nothing is learned", () => {
  assertEquals(warningsOf({ chosenPreference: 0.48 }), [[31, "preference_stuck"]]);
  assertEquals(warningsOf({ chosenPreference: 0.46 }), []);
  assertEquals(warningsOf({ chosenPreference: 0.5 }, { total: 120 }), []);
});

Deno.test("createPreferenceGuards() says once, after half of the run, that the opposite is learned", () => {
  assertEquals(warningsOf({ chosenPreference: 0.34 }), [[31, "preference_reversed"]]);
  assertEquals(warningsOf({ chosenPreference: 0.36 }), []);
});

Deno.test("createPreferenceGuards() judges a short run at its end, and a handful of steps never", () => {
  assertEquals(warningsOf({ chosenPreference: 0.5 }, { steps: 5 }), [[5, "preference_stuck"]]);
  assertEquals(warningsOf({ chosenPreference: 0.5 }, { steps: 4 }), []);
});

Deno.test("createPreferenceGuards() names the original system's cures", () => {
  const cureOf = (metrics: Partial<GuardedMetrics>) => {
    const guard = createPreferenceGuards();
    const full = { ...WELL, ...metrics };
    const warnings = Array.from({ length: STEPS }, () => guard(full, 1)).flat();
    return warnings.map(({ message }) => message).join();
  };
  assert(cureOf({ chosenPreference: 0.5 }).includes("--learning_rate 1e-6 or --beta 0.5"));
  assert(
    /gibberish.*sigmoid,sft.*dpop.*lower --learning_rate.*1\.0/.test(
      cureOf({ "drift/chosen": -9 }),
    ),
  );
});

Deno.test("createPreferenceGuards() judges by pairs, over the last steps only", () => {
  const guard = createPreferenceGuards(), codes: string[] = [];
  const step = (chosenPreference: number, pairs: number) =>
    codes.push(
      ...guard({ ...WELL, chosenPreference, pairs }, 0.1).map(({ code }) => code),
    );
  for (let i = 0; i < STEPS; i++) step(0, 1);
  for (let i = 0; i < STEPS - 2; i++) step(1, 1);
  assertEquals(codes, []); // two steps at 0 are still in sight: 90 %
  step(1, 1);
  assertEquals(codes, ["preference_high"]); // 19 of 20
  const weighed = createPreferenceGuards();
  const last = Array.from(
    { length: STEPS },
    (_, i) =>
      weighed(
        { ...WELL, chosenPreference: i === 0 ? 0 : 1, pairs: i === 0 ? 4 : 1 },
        0.1,
      ),
  );
  assertEquals(last.flat(), []); // 19 of 23 pairs
});

Deno.test("createMemoryGuard() says once that less than a tenth of the memory is left", () => {
  const total = 16 * 2 ** 30;
  let available = total / 10;
  const guard = createMemoryGuard(() => ({ available, total }));
  assertEquals(guard(), []);
  available -= 1;
  const [{ code, message }] = guard();
  assertEquals(code, "memory");
  assert(
    message.startsWith("Memory is about to run out (1.6 of 16.0 GiB are left): restart with a"),
  );
  assert(message.includes("smaller --batch_size"));
  assertEquals(guard(), []);
  assertEquals(createMemoryGuard()(), []);
});

Deno.test("memoryReader() reads what is left of the machine's memory", () => {
  const { available, total } = memoryReader()!();
  assert(available > 0 && available <= total, `${available} of ${total}`);
});
