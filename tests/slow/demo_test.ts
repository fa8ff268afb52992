/** The README's first command, and what it promises of the numbers that it prints. */
import { join } from "node:path";
import { assert, assertEquals } from "../../lib/std.ts";
import type { DemoResult } from "../../scripts/cli/demo_result.ts";

const root = new URL("../../", import.meta.url).pathname;
const RESULT = join(root, "models/demo/demo_result.json");

/** Runs the demo; what an earlier run left must not stand for this one's result. */
async function runDemo(): Promise<DemoResult> {
  await Deno.remove(RESULT).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const command = new Deno.Command(Deno.execPath(), {
    args: ["task", "demo"],
    cwd: root,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  });
  assertEquals((await command.output()).code, 0, "deno task demo failed");
  return JSON.parse(await Deno.readTextFile(RESULT));
}

Deno.test("deno task demo shows fewer wrong details at the same recall and length", async (t) => {
  const { notes, models: [before, after, control] } = await runDemo();
  const wrong = (model: typeof before) => 100 * model.sampledNotesWithWrongDetail / notes;
  assertEquals([before.name, after.name, control.name], ["Stage A", "DPO + SFT", "SFT alone"]);
  await t.step("Stage A's sampled notes have a wrong detail in 30 to 45 %", () => {
    assert(wrong(before) >= 30 && wrong(before) <= 45, `${wrong(before)} %`);
  });
  await t.step("DPO leaves under 10 %, and fewer than imitation of the better answers", () => {
    assert(wrong(after) < 10, `${wrong(after)} %`);
    assert(wrong(after) < wrong(control), `${wrong(after)} %, the control ${wrong(control)} %`);
  });
  await t.step("no fact is left out for it: recall is not lower than before", () => {
    assert(after.recall >= before.recall, `${after.recall}, before ${before.recall}`);
  });
  await t.step("the mean length stays within 10 %", () => {
    const change = after.meanTokens / before.meanTokens - 1;
    assert(Math.abs(change) <= 0.1, `${after.meanTokens} tokens, before ${before.meanTokens}`);
  });
});
