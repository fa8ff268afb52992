/** Each script's own permission set suffices for its work, on the backend that runs here. */
import { join } from "node:path";
import { assertEquals } from "../../lib/std.ts";
import { typed } from "../scripts/run_tiny.ts";

const root = new URL("../../", import.meta.url).pathname;
const STAGE_A = "models/sft_specialist/final_model";

/** Runs a script as the README does, and nobody is there to grant more. */
async function run(name: string, flags: Record<string, string | number>): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-prompt", `-P=${name}`, `scripts/${name}.ts`, ...typed(flags)],
    cwd: root,
  }).output();
  assertEquals(code, 0, `${name}: ${new TextDecoder().decode(stderr)}`);
}

Deno.test("scripts do their work under no more than their permission sets", async () => {
  const place = await Deno.makeTempDir({ dir: join(root, "models"), prefix: "test-" });
  const made = await Deno.makeTempDir({ dir: join(root, "phase2_data"), prefix: "test-" });
  try {
    const rows = (await Deno.readTextFile(join(root, "phase2_data/dpo/val_dpo.jsonl"))).split("\n");
    const file = join(place, "rows.jsonl"), adapter_path = join(place, "dpo/final_model");
    await Deno.writeTextFile(file, rows.slice(0, 4).join("\n"));
    const short = { train_file: file, val_file: file, max_steps: 1 };
    await run("train_dpo", { ...short, output_dir: join(place, "dpo"), logging: "tensorboard" });
    await run("train_sft", {
      ...short,
      model_path: STAGE_A,
      completion_key: "chosen",
      output_dir: join(place, "sft"),
    });
    await run("score", { adapter_path, file, output: join(place, "scores.jsonl") });
    await run("generate", { adapter_path, prompt: "Fever.", max_new_tokens: 2 });
    const written = join(place, "written.jsonl");
    await Deno.writeTextFile(written, `{"source": "Fever.", "text": "Fever."}\n`);
    await run("measure_hallucination", { file: written, output: join(place, "measured.jsonl") });
    await run("evaluate", { dpo_model_path: adapter_path, test_file: file, max_new_tokens: 2 });
    const evaluation = join(place, "dpo/evaluation/evaluation.json");
    await run("readiness", { run_dir: join(place, "dpo"), evaluation });
    await run("report", { run_dir: join(place, "dpo"), evaluation });
    await run("lint_triplets", { file, val_file: file, model_path: STAGE_A });
    await run("make_triplets", { source: file, output: join(made, "triplets.jsonl") });
  } finally {
    for (const folder of [place, made]) await Deno.remove(folder, { recursive: true });
  }
});

/** Words of a command as a shell parts them. */
const words = (command: string) =>
  [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);

Deno.test("a user who does what each refusal says gets there, with all paths outside the project", async () => {
  const folder = await Deno.makeTempDir(), source = join(folder, "in put.csv");
  const output = join(folder, "out", "triplets.jsonl");
  await Deno.writeTextFile(
    source,
    "prompt,chosen\nI take aspirin 81 mg daily.,Takes aspirin 81 mg daily.\n",
  );
  let command = `deno run -q scripts/make_triplets.ts --source '${source}' --output ${output}`;
  const tried: string[] = [];
  while (tried.length < 4) {
    tried.push(command);
    const [, , ...args] = words(command);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...args],
      cwd: root,
    }).output();
    if (code === 0) break;
    command = new TextDecoder().decode(stderr).trimEnd().split("\n  ").at(-1)!;
  }
  assertEquals(tried.length, 3, tried.join("\n")); // without the set, with it, with all paths
  assertEquals((await Deno.readTextFile(output)).split("\n").length, 2);
  await Deno.remove(folder, { recursive: true });
});
