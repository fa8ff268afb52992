/** Each script's own permission set suffices for its work, on the backend that runs here. */
import { join } from "node:path";
import { assertEquals } from "../../lib/std.ts";
import { typed } from "./run_tiny.ts";

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
    await run("train_dpo", { ...short, output_dir: join(place, "dpo") });
    await run("train_sft", {
      ...short,
      model_path: STAGE_A,
      completion_key: "chosen",
      output_dir: join(place, "sft"),
    });
    await run("score", { adapter_path, file, output: join(place, "scores.jsonl") });
    await run("generate", { adapter_path, prompt: "Fever.", max_new_tokens: 2 });
    await run("make_triplets", { source: file, output: join(made, "triplets.jsonl") });
  } finally {
    for (const folder of [place, made]) await Deno.remove(folder, { recursive: true });
  }
});
