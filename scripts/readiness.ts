import { join } from "node:path";
import {
  readEvaluation,
  type Readiness,
  readiness,
  type ReadinessCheck,
  runStatsSchema,
  UserError,
} from "../mod.ts";
import { readJsonFile } from "../lib/io/read_json.ts";
import { hashAdapterFile } from "./cli/find_run.ts";
import { wrap } from "./cli/help_text.ts";
import { runScript } from "./cli/run_script.ts";

const MARKS = { pass: "ok", fail: "FAILED", unknown: "unknown" };
const VERDICTS = {
  "ready": "Ready: every check passed.",
  "not ready": "Not ready.",
  "unknown": "Not known to be ready: not everything could be judged.",
};

await runScript({
  name: "readiness",
  summary:
    "Says whether a DPO run is ready to be used, by what it writes and never by preference " +
    "alone, why, and what to try next.",
  examples: [
    "--run_dir models/dpo_hallucination_resistant " +
    "--evaluation models/dpo_hallucination_resistant/evaluation/evaluation.json",
    "--run_dir models/dpo_hallucination_resistant --evaluation evaluation.json --check",
  ],
  flags: {
    run_dir: {
      type: "string",
      value: "FOLDER",
      default: "./models/dpo_hallucination_resistant",
      help: "What train_dpo wrote: final_model and dpo_training_stats.json",
    },
    evaluation: {
      type: "string",
      value: "FILE",
      help: "What evaluate wrote; without it nothing is known of what the model writes",
    },
    check: { type: "boolean", help: "Ends with exit code 1 unless it is ready, for a CI" },
    json: { type: "boolean", help: "Prints the verdict as JSON" },
  },
  async main({ run_dir: runDir, evaluation: path, check, json }, io) {
    const stats = await readJsonFile(join(runDir, "dpo_training_stats.json"), runStatsSchema);
    const evaluation = path === undefined ? null : await readEvaluation(path);
    const policy = join(runDir, "final_model");
    if (evaluation && evaluation.hashes.dpo_model !== await hashAdapterFile(policy)) {
      throw new UserError(
        `Cannot judge "${runDir}" by "${path}": that evaluated another model than the one in ` +
          `"${policy}"; evaluate this one`,
        { path, field: "hashes.dpo_model" },
      );
    }
    const result = readiness(stats, evaluation);
    io.print(json ? JSON.stringify(result, null, 1) : inWords(result));
    return check && !result.ready ? 1 : 0;
  },
});

function inWords({ checks, warnings, verdict }: Readiness): string {
  const line = (
    mark: string,
    { name, figure, reason, next }: Pick<ReadinessCheck, "name" | "figure" | "reason" | "next">,
  ) => [
    `${mark.padEnd(8)} ${name}: ${figure}`,
    wrap(reason, 9),
    ...(next === null ? [] : [wrap(`Next: ${next}`, 9)]),
  ];
  return [
    ...checks.flatMap((check) => line(MARKS[check.status], check)),
    ...warnings.flatMap((warning) => line("warning", warning)),
    "",
    VERDICTS[verdict] + (warnings.length > 0 ? " Mind the warnings." : ""),
  ].join("\n");
}
