import { assert, assertEquals } from "../../lib/std.ts";
import { runSummary } from "../../scripts/cli/run_summary.ts";

Deno.test("runSummary() says what a run took and gives commands that fit 80 columns", () => {
  const args =
    "--dpo_model_path models/dpo_hallucination_resistant/final_model --test_file held.jsonl";
  const text = runSummary(performance.now() - 161_000, [
    { what: "See what it writes", script: "evaluate", args: args.split(" ") },
    { what: "Ask whether it is ready", script: "readiness", args: ["--run_dir", "models/my x"] },
  ]);
  assert(/^\nIn 2m41s, with at most [\d.]+ [MG]B of memory. Next:\n/.test(text), text);
  assertEquals(text.split("\n").filter((line) => line.length > 80), []);
  const typed = text.replaceAll(" \\\n", "").replaceAll(/ +/g, " ");
  assert(typed.includes(` deno run -q -P=evaluate scripts/evaluate.ts ${args}\n`), typed);
  assert(
    typed.endsWith(" deno run -q -P=readiness scripts/readiness.ts --run_dir 'models/my x'"),
    typed,
  );
});
