/**
 * The guide's commands, in their order and as they stand there but for their length: training stops
 * after two steps and is judged by few pairs, and few texts are written. The guide's TypeScript runs
 * with the documentation.
 */
import { join } from "node:path";
import { assert, assertEquals } from "../../lib/std.ts";
import { testUnless } from "../test_unless.ts";

const root = new URL("../../", import.meta.url).pathname;
const MODEL = "models/SmolLM2-135M-Instruct";
const guide = await Deno.readTextFile(join(root, "STAGE_B_DPO_GUIDE.md"));
const commands = [...guide.matchAll(/^```sh\n(.*?)^```$/gms)]
  .flatMap(([, block]) => block.replaceAll(/ *\\\n */g, " ").trim().split("\n"))
  .filter((command) => command !== "deno task setup"); // the tests' own machine is set up
const hasModel = await Deno.stat(join(root, MODEL)).then(() => true, () => false);

const place = await Deno.makeTempDir({ dir: join(root, "models"), prefix: "test-guide-" });
const few = join(place, "few.jsonl");
const pairs = await Deno.makeTempDir({ dir: join(root, "phase2_data"), prefix: "test-guide-" });
globalThis.addEventListener("unload", () => {
  for (const folder of [place, pairs]) Deno.removeSync(folder, { recursive: true });
});

/** What is typed after a script's name so that it ends soon. */
function shorter(command: string): string[] {
  if (command.includes("--dry_run")) return [];
  if (command.includes("/train_dpo.ts")) return ["--max_steps", "2", "--val_file", few];
  if (command.includes("/train_sft.ts")) return ["--max_steps", "2"];
  return command.includes("/evaluate.ts") ? ["--samples", "4"] : [];
}

for (const command of commands) {
  const missing = command.includes(MODEL) && !hasModel && `there is no ${MODEL}`;
  testUnless(missing, `the guide's ${command.slice(0, 200)}`, async () => {
    const rows = await Deno.readTextFile(join(root, "phase2_data/dpo/val_dpo.jsonl"));
    await Deno.writeTextFile(few, rows.split("\n").slice(0, 4).join("\n"));
    const [program, ...args] = command.replace(/ --max_steps \d+/, "")
      .replaceAll("models/guide", place).replaceAll("phase2_data/guide", pairs).split(" ");
    assertEquals([program, args[0]], ["deno", "run"]);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, ...shorter(command)],
      cwd: root,
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assert(stdout.length > 0);
  });
}
