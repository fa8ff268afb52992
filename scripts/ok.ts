/** Runs every check that a change must pass; prints a line for each, and more only where one fails. */
import { formatDuration } from "./cli/format.ts";
import { runScript } from "./cli/run_script.ts";

const steps: Record<string, string[]> = {
  format: ["fmt", "--check", "-q"],
  lint: ["lint", "-q"],
  types: ["check", "-q"],
  // A browser's types would mix with Deno's, so what runs in one is checked by itself.
  page: ["check", "-q", "--config", "report/client/check.json", "report/client/page.js"],
  notebooks: ["run", "-q", "-P=check_notebooks", "scripts/check_notebooks.ts"],
  documentation: ["run", "-q", "-P=check_docs", "scripts/check_docs.ts"],
  tests: ["task", "-q", "test"],
};

await runScript({
  name: "ok",
  summary: "runs every check that a change must pass, in under two minutes",
  examples: ["", "--only lint,types"],
  flags: {
    only: { type: "list", choices: Object.keys(steps), help: "Checks to run, all unless given" },
  },
  async main({ only = Object.keys(steps) }, io) {
    const failed: string[] = [];
    for (const name of only) {
      const started = performance.now();
      const { success, stdout, stderr } = await new Deno.Command("deno", {
        args: steps[name],
        signal: io.signal,
      }).output();
      const seconds = formatDuration((performance.now() - started) / 1000);
      io.print(`${success ? "ok    " : "FAILED"} ${name.padEnd(14)} ${seconds}`);
      if (success) continue;
      failed.push(name);
      for (const bytes of [stdout, stderr]) io.note(new TextDecoder().decode(bytes).trimEnd());
    }
    if (failed.length > 0) io.print(`\nFailed: ${failed.join(", ")}`);
    return failed.length > 0 ? 1 : 0;
  },
});
