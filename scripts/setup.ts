import { useBackend } from "../lib/backend/use_backend.ts";
import { UserError } from "../lib/errors.ts";
import type { Report } from "../lib/setup/run_steps.ts";
import { setUpNative } from "../lib/setup/set_up_native.ts";
import type { Progress } from "./cli/progress.ts";
import { runScript, type ScriptIo } from "./cli/run_script.ts";

await runScript({
  name: "setup",
  summary: "Makes TensorFlow run under Deno, in .native. What was finished before is kept, so " +
    "that an interrupted run goes on, and a second one returns at once.",
  examples: [""],
  flags: {},
  main: async (_flags, io) => {
    const report = createReport(io);
    try {
      const { version, device, name } = await setUpNative({ report });
      io.print(`${version} runs on ${device} (backend ${name}).`);
    } catch (error) {
      if (!(error instanceof UserError) || io.signal.aborted) throw error;
      report.end();
      const { version, device, name } = await useBackend({ backend: "auto" });
      io.note(`TensorFlow could not be set up. ${error.message}`);
      io.print(`${version} serves in its place on ${device} (backend ${name}), more slowly.`);
    } finally {
      report.end();
    }
  },
});

/** Shows the set-up's lines, and its progress as one bar after the other. */
function createReport(io: ScriptIo): Report & { end(): void } {
  let shown: { step: string; bar: Progress } | undefined;
  const end = () => {
    shown?.bar.end();
    shown = undefined;
  };
  return {
    end,
    line(text) {
      end();
      io.note(text);
    },
    progress({ step, doneBytes, totalBytes }) {
      if (shown?.step !== step) {
        end();
        const bar = io.progress({ label: step, total: totalBytes, unit: "bytes" });
        shown = { step, bar };
      }
      shown.bar.update({ done: doneBytes });
    },
  };
}
