/** report on a tiny model's runs, as a user runs it after train_dpo and evaluate. */
import { join } from "node:path";
import { pairsSchema } from "../../lib/evaluate/pairs_record.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { runScript, tinyWorkplace, typed, type Workplace } from "../scripts/run_tiny.ts";

const root = new URL("../../", import.meta.url);

/** Runs report, which takes no backend. */
async function report(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "scripts/report.ts", ...args],
    cwd: root,
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

async function train({ at }: Workplace, name: string, more: Record<string, string | number>) {
  const file = at("triplets.jsonl"), files = { train_file: file, val_file: file };
  const flags = { sft_model_path: at("model"), output_dir: at(name), ...files, max_steps: 2 };
  const { code, stderr } = await runScript("train_dpo", typed({ ...flags, ...more }));
  assertEquals(code, 0, stderr);
}

const section = (page: string, id: string) => page.includes(`<section id="${id}"`);

Deno.test("train_dpo, evaluate and report write pages with what there is by then", async () => {
  using place = await tinyWorkplace();
  const { at } = place, page = (...path: string[]) => Deno.readTextFile(at(join(...path)));
  await train(place, "a", { learning_rate: 1e-2 });
  const pairs = pairsSchema.parse(JSON.parse(await page("a", "pairs.json")));
  assertEquals([pairs.pairs.length, pairs.total, pairs.beta], [5, 5, 0.1]);
  assert(pairs.pairs.every(({ tokens }) => tokens !== null));
  const trained = await page("a", "report.html");
  assert(section(trained, "training") && section(trained, "pairs") && !section(trained, "writes"));
  assert(!trained.includes("data-reload") && trained.includes('class="badge">finished'));

  const flags = { dpo_model_path: at("a/final_model"), test_file: at("triplets.jsonl") };
  const evaluated = await runScript("evaluate", typed({ ...flags, max_new_tokens: 4 }));
  assertEquals(evaluated.code, 0, evaluated.stderr);
  const judged = await page("a", "evaluation", "report.html");
  for (const id of ["summary", "training", "pairs", "writes", "readiness", "settings"]) {
    assert(section(judged, id), id);
  }
  await train(place, "b", { learning_rate: 1e-3, report_pairs: 0, report_every: 0 });
  assert(!section(await page("b", "report.html"), "pairs"));
  const { code, stdout, stderr } = await report(
    ...typed({ run_dir: at("a"), compare: at("b"), output: at("two.html") }),
  );
  assertEquals([code, stdout, stderr], [0, `The report is in ${at("two.html")}\n`, ""]);
  const two = await page("two.html");
  assert(section(two, "compared") && section(two, "writes") && two.includes(at("b")));
});

Deno.test("report says what it can't show, and why", async () => {
  using place = await tinyWorkplace();
  const { at } = place;
  const none = await report(...typed({ run_dir: at("nothing") }));
  assertEquals(none.code, 1);
  assertEquals(
    none.stderr,
    `Cannot report on "${at("nothing")}": there is no dpo_training_stats.json in it, and no ` +
      "evaluation\n",
  );
  await train(place, "a", {});
  await train(place, "b", { learning_rate: 1e-2 });
  const flags = { dpo_model_path: at("a/final_model"), test_file: at("triplets.jsonl") };
  const evaluated = await runScript("evaluate", typed({ ...flags, max_new_tokens: 4 }));
  assertEquals(evaluated.code, 0, evaluated.stderr);
  const evaluation = at("a/evaluation/evaluation.json");
  const other = await report(...typed({ run_dir: at("b"), evaluation }));
  assertEquals(other.code, 1);
  assert(other.stderr.includes("evaluated another model than the one in"), other.stderr);
  await Deno.mkdir(at("b/evaluation"));
  await Deno.copyFile(evaluation, at("b/evaluation/evaluation.json"));
  const found = await report(...typed({ run_dir: at("b") }));
  assertEquals(found.code, 0, found.stderr);
  assert(found.stderr.includes("evaluated another model than this run's"), found.stderr);
  assert(found.stderr.includes("run scripts/evaluate.ts first"), found.stderr);
});
