/** evaluate and readiness on a tiny model, as a user runs them after train_dpo. */
import { join } from "node:path";
import { evaluationSchema } from "../../lib/evaluate/evaluation_schema.ts";
import { runStatsSchema } from "../../lib/evaluate/run_stats.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { namesIn } from "../train/tiny_runs.ts";
import { runScript, tinyWorkplace, typed } from "../scripts/run_tiny.ts";

const readJson = async (path: string) => JSON.parse(await Deno.readTextFile(path));

Deno.test("evaluate finds the run's own control, warns of its training file, and readiness reads it", async () => {
  using place = await tinyWorkplace();
  const { at } = place, runDir = at("dpo"), file = at("triplets.jsonl");
  const trained = await runScript("train_dpo", [
    ...typed({ sft_model_path: at("model"), train_file: file, val_file: file, control: "sft" }),
    ...typed({ output_dir: runDir, learning_rate: 1e-2, max_steps: 2 }),
  ]);
  assertEquals(trained.code, 0, trained.stderr);
  const flags = {
    dpo_model_path: join(runDir, "final_model"),
    test_file: file,
    max_new_tokens: 4,
  };
  const evaluated = await runScript("evaluate", [...typed({ ...flags, samples: 3 }), "--json"]);
  assertEquals(evaluated.code, 0, evaluated.stderr);
  assert(evaluated.stderr.includes("is the file that DPO was trained on"), evaluated.stderr);
  const folder = join(runDir, "evaluation"), path = join(folder, "evaluation.json");
  assertEquals(namesIn(folder).sort(), [
    "evaluation.json",
    "pairs.json",
    "report.html",
    "samples.jsonl",
  ]);
  const record = evaluationSchema.parse(await readJson(path));
  assertEquals(JSON.parse(evaluated.stdout), await readJson(path));
  assertEquals([record.preference.pairs, record.prompts], [5, 3]);
  assertEquals(record.overlap, { same_file: true, prompts: 5 });
  assert(record.generation.control && record.control_preference);
  const samples = (await Deno.readTextFile(join(folder, "samples.jsonl"))).trimEnd().split("\n");
  assertEquals(samples.length, 3);
  runStatsSchema.parse(await readJson(join(runDir, "dpo_training_stats.json")));

  const cut = await runScript("evaluate", [
    ...typed({ ...flags, samples: 1, max_length: 45, output_dir: at("cut") }),
    "--skip_invalid",
  ]);
  assertEquals(cut.code, 0, cut.stderr);
  const { dropped } = evaluationSchema.parse(await readJson(at("cut/evaluation.json")));
  assertEquals(dropped, 1);
  assert(cut.stderr.includes("Left out 1 row, the first: "), cut.stderr);
  assert(cut.stderr.includes("4 of 4 rows cut at --max_length 45 tokens."), cut.stderr);

  const folderAbove = await runScript("evaluate", typed({ ...flags, dpo_model_path: runDir }));
  assertEquals(folderAbove.code, 1);
  const hint = `did you mean "${flags.dpo_model_path}"?`;
  assert(folderAbove.stderr.includes(hint), folderAbove.stderr);

  const judge = async (...more: string[]) =>
    await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", "scripts/readiness.ts", `--run_dir=${runDir}`, ...more],
      cwd: new URL("../../", import.meta.url),
    }).output();
  const checked = await judge(`--evaluation=${path}`, "--check", "--json");
  const { ready, checks } = JSON.parse(new TextDecoder().decode(checked.stdout));
  assertEquals([checked.code, ready, checks.length], [1, false, 5]);
  await Deno.writeTextFile(
    path,
    JSON.stringify({ ...record, hashes: { ...record.hashes, dpo_model: "another" } }),
  );
  const other = await judge(`--evaluation=${path}`);
  const said = new TextDecoder().decode(other.stderr);
  assertEquals(other.code, 1);
  assert(said.includes("evaluated another model"), said);
});
