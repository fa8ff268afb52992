import { join } from "node:path";
import { assertEquals } from "../../lib/std.ts";
import { readRun } from "../../report/read_run.ts";
import { madeUpRun } from "./made_up_run.ts";

const run = madeUpRun();

/** A run's folder with what `train_dpo` and `evaluate` write into it; `samples` are lines. */
async function folderOf(samples: unknown[]) {
  const folder = await Deno.makeTempDir(),
    write = (name: string, value: unknown) =>
      Deno.writeTextFile(join(folder, name), JSON.stringify(value));
  const { settings, versions, backend, epochs, steps } = run;
  const speed = { pairs_per_second: 8, tokens_per_second: 200, elapsed_ms: 6e4 };
  const stats = { settings, versions, backend, ...speed, peak_memory_bytes: 1e9, epochs, steps };
  await write("dpo_training_stats.json", stats);
  await Deno.mkdir(join(folder, "evaluation"));
  await write("evaluation/evaluation.json", run.evaluation);
  const lines = samples.map((sample) => JSON.stringify(sample) + "\n").join("");
  await Deno.writeTextFile(join(folder, "evaluation/samples.jsonl"), lines);
  return { folder, evaluation: join(folder, "evaluation/evaluation.json") };
}

Deno.test("readRun() gathers what a run left, and pairs from beside the evaluation first", async () => {
  const turns = [{ role: "user", content: "Note." }, { role: "user", content: "Sum up." }];
  const { folder, evaluation } = await folderOf([
    { prompt: turns, reference: "a", sft: "b", dpo: "c", sft_unsupported: [], dpo_unsupported: [] },
  ]);
  await Deno.writeTextFile(join(folder, "pairs.json"), JSON.stringify({ ...run.pairs, beta: 0.7 }));
  const trained = await readRun(folder + "/");
  assertEquals([trained.name, trained.state, trained.evaluation], [folder, "stopped", null]);
  assertEquals([trained.pairs!.beta, trained.samples], [0.7, []]);
  assertEquals(trained.cost, run.cost);
  assertEquals([trained.steps, trained.epochs], [run.steps, run.epochs]);
  await Deno.writeTextFile(join(folder, "evaluation/pairs.json"), JSON.stringify(run.pairs));
  await Deno.mkdir(join(folder, "final_model"));
  const judged = await readRun(folder, evaluation);
  assertEquals([judged.state, judged.pairs!.beta], ["finished", 0.1]);
  assertEquals(judged.samples, [{
    prompt: "Note.\nSum up.",
    reference: "a",
    texts: { sft: { text: "b", unsupported: [] }, dpo: { text: "c", unsupported: [] } },
  }]);
  assertEquals(judged.verdict, run.verdict);
  assertEquals(judged.readiness!.checks.length, run.readiness!.checks.length);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("readRun() names the file and the field that it can't use", async () => {
  const { folder, evaluation } = await folderOf([{ prompt: "a", reference: "b" }, { prompt: 3 }]);
  const message = (path?: string) =>
    readRun(folder, path).then(() => "no error", (error) => error.message);
  assertEquals(
    await message(evaluation),
    `Cannot use "${join(folder, "evaluation/samples.jsonl")}" row 2: "prompt" must be a text or ` +
      "a list of messages",
  );
  const path = join(folder, "dpo_training_stats.json");
  await Deno.writeTextFile(path, "{}");
  assertEquals(
    await message(),
    `Cannot use "${path}": "settings" must hold the settings, found nothing`,
  );
  await Deno.remove(folder, { recursive: true });
});
