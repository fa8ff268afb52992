import { readiness } from "../../lib/evaluate/readiness.ts";
import { type RunStats, runStatsSchema } from "../../lib/evaluate/run_stats.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { madeUpEvaluation } from "./made_up_evaluation.ts";

const NAMES = [
  "loss converges",
  "Chosen Preference",
  "validation follows",
  "fewer hallucinations",
  "no gibberish",
];
const BETTER = { sft: { wrong: 0.4 }, dpo: { wrong: 0.05 }, control: { wrong: 0.3 } };
const GOOD = madeUpEvaluation(BETTER);

/** A run whose loss falls, with noise, and whose validation follows. */
function stats(
  { slope = -0.005, validation = [0.5, 0.4], train = [0.5, 0.4], preference = 0.9 } = {},
): RunStats {
  const epoch = (loss: number, chosenPreference: number) => ({ loss, chosenPreference });
  return {
    settings: {},
    steps: Array.from({ length: 60 }, (_, i) => ({
      step: i + 1,
      loss: 0.7 + slope * i + 0.02 * Math.sin(7 * i),
    })),
    epochs: train.map((loss, i) => ({
      epoch: i + 1,
      train: epoch(loss, 0.92),
      validation: validation[i] === undefined ? null : epoch(validation[i], preference),
    })),
  };
}

const statusOf = (...[run, evaluation]: Parameters<typeof readiness>) =>
  Object.fromEntries(
    readiness(run, evaluation).checks.map(({ name, status }) => [name, status]),
  );
const warned = (...[run, evaluation]: Parameters<typeof readiness>) =>
  readiness(run, evaluation).warnings.map(({ name }) => name);

Deno.test("readiness() is ready when all is well, and has a figure and a reason for each check", () => {
  const { ready, verdict, checks } = readiness(stats(), GOOD);
  assertEquals([ready, verdict, checks.map(({ name }) => name)], [true, "ready", NAMES]);
  for (const { figure, reason, next } of checks) assert(figure && reason && next === null);
});

Deno.test("readiness() never is ready by preference alone", () => {
  const { ready, verdict, checks } = readiness(stats(), null);
  assertEquals([ready, verdict], [false, "unknown"]);
  assert(checks[3].reason.includes("was not evaluated"), checks[3].reason);
  assert(checks[3].next!.includes("--evaluation"));
});

Deno.test("readiness() refuses to judge by fewer than 30 prompts", () => {
  const few = readiness(stats(), madeUpEvaluation({ ...BETTER, prompts: 29 }));
  assertEquals([few.ready, few.verdict, few.checks[3].status], [false, "unknown", "unknown"]);
  assertEquals(readiness(stats(), madeUpEvaluation({ ...BETTER, prompts: 30 })).ready, true);
});

Deno.test("readiness() fails a run whose hallucinations are not fewer beyond chance", () => {
  const same = readiness(stats(), madeUpEvaluation({ ...BETTER, dpo: { wrong: 0.4 } }));
  assertEquals([same.ready, same.verdict, same.checks[3].status], [false, "not ready", "fail"]);
  assert(same.checks[3].reason.includes("includes zero"), same.checks[3].reason);
  const worse = readiness(stats(), madeUpEvaluation({ ...BETTER, dpo: { wrong: 1 } }));
  assert(worse.checks[3].reason.includes("worse beyond chance"), worse.checks[3].reason);
  const none = { sft: { wrong: 0 }, dpo: { wrong: 0 } };
  assert(readiness(stats(), madeUpEvaluation(none)).checks[3].next!.includes("--temperature 1"));
});

Deno.test("readiness() fails texts that derail, go in circles or don't end", () => {
  for (const broken of [{ isGibberish: true }, { repetition: 0.4 }, { stopped: false }]) {
    const evaluation = madeUpEvaluation({ ...BETTER, dpo: { wrong: 0.05, ...broken } });
    assertEquals(statusOf(stats(), evaluation)["no gibberish"], "fail", JSON.stringify(broken));
  }
});

Deno.test("readiness() sees whether the loss falls, stays or rises, beyond its noise", () => {
  const loss = (run: RunStats) => statusOf(run, GOOD)["loss converges"];
  assertEquals(loss(stats({ slope: 0 })), "fail");
  const rising = readiness(stats({ slope: 0.005 }), GOOD).checks[0];
  assert(rising.status === "fail" && rising.reason.includes("rose"), rising.reason);
  const few = stats();
  few.steps.length = 9;
  assertEquals(loss(few), "unknown");
  few.steps[3].loss = NaN;
  assertEquals(loss(few), "fail");
});

Deno.test("readiness() sees validation that does not follow, and where there is none", () => {
  const follows = (run: RunStats) => readiness(run, GOOD).checks[2];
  const byHeart = follows(stats({ validation: [0.4, 0.5] }));
  assert(byHeart.status === "fail" && byHeart.next!.includes("checkpoint_epoch_1"));
  assertEquals(follows(stats({ preference: 0.7 })).status, "fail");
  assertEquals(follows(stats({ validation: [] })).status, "unknown");
});

Deno.test("readiness() takes losses below zero for what they are, and rises from zero for none", () => {
  const follows = (train: number[], validation: number[]) =>
    statusOf(stats({ train, validation }), GOOD)["validation follows"];
  assertEquals(follows([-0.3, -0.6], [-0.3, -0.6]), "pass");
  assertEquals(follows([0.1, 0], [0, 1e-6]), "pass");
  assertEquals(follows([-0.3, -0.6], [-0.6, -0.3]), "fail");
});

Deno.test("readiness() fails a run that makes things up where Stage A made up nothing", () => {
  const worse = madeUpEvaluation({ sft: { wrong: 0 }, dpo: { wrong: 0.9 } });
  assertEquals(statusOf(stats(), worse)["fewer hallucinations"], "fail");
  const nothing = madeUpEvaluation({ sft: { wrong: 0 }, dpo: { wrong: 0 }, control: { wrong: 0 } });
  assertEquals(statusOf(stats(), nothing)["fewer hallucinations"], "unknown");
  assert(!warned(stats(), nothing).includes("nothing added"));
});

Deno.test("readiness() takes preference from the run where nothing was evaluated", () => {
  assertEquals(statusOf(stats({ preference: 0.79 }), null)["Chosen Preference"], "fail");
  assertEquals(statusOf(stats({ preference: 0.8 }), null)["Chosen Preference"], "pass");
  assertEquals(statusOf(stats({ validation: [] }), null)["Chosen Preference"], "unknown");
});

Deno.test("readiness() warns of what a passing run may hide", () => {
  assertEquals(warned(stats(), GOOD), ["very high preference"]);
  assertEquals(warned(stats(), null), []);
  const { sft, control } = BETTER, dpo = { wrong: 0.05, tokens: 20, recall: 0.5 };
  const worse = madeUpEvaluation({ sft, control: { ...control, wrong: 0.05 }, dpo, drift: -3 });
  worse.overlap = { same_file: false, prompts: 7 };
  const overlapping = stats();
  overlapping.settings = { data_sha256: "x", validation_sha256: "x" };
  assertEquals(warned(overlapping, worse), [
    "very high preference",
    "falling likelihood",
    "overlap",
    "shorter notes",
    "says less",
    "overlap",
    "nothing added",
  ]);
  assert(warned(stats(), madeUpEvaluation({ sft, dpo })).includes("no control"));
  const split = { ...stats(), settings: { data_sha256: "x", validation_sha256: "y" } };
  assertEquals(warned(split, GOOD), ["very high preference"]); // rows split off the same file
});

Deno.test("runStatsSchema takes what a run writes and names what is missing", () => {
  assertEquals(runStatsSchema.parse(stats()), stats());
  const { error } = runStatsSchema.safeParse({ ...stats(), steps: undefined });
  assertEquals(error!.issues[0].message, "must list the steps");
});
