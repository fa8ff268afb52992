import { join } from "node:path";
import { assert, assertEquals } from "../../lib/std.ts";
import { findRun, hashAdapterFile } from "../../scripts/cli/find_run.ts";
import { userError } from "../io/damage.ts";

Deno.test("a run that isn't finished is said to be so, and how to go on with it", async () => {
  const runDir = await Deno.makeTempDir(), policy = join(runDir, "final_model");
  await Deno.writeTextFile(join(runDir, "dpo_training_stats.json"), "{}");
  const wanted = `Cannot read "${policy}": it is missing, as where a run isn't finished; ` +
    "the same train_dpo command with --resume goes on";
  for (
    const read of [() => findRun(policy), () => findRun(runDir), () => hashAdapterFile(policy)]
  ) {
    assertEquals((await userError(read())).message, wanted);
  }
  await Deno.mkdir(policy);
  const { message } = await userError(findRun(join(runDir, "merged")));
  assert(message.includes("wanted a folder with adapter_config.json"), message);
  await Deno.remove(runDir, { recursive: true });
});
