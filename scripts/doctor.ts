import { diagnose, type Diagnosis } from "../lib/setup/diagnose.ts";
import { formatBytes } from "./cli/format.ts";
import { runScript } from "./cli/run_script.ts";

await runScript({
  name: "doctor",
  summary:
    "Says what computes here, why nothing faster does, and the command that would change it.",
  examples: ["", "--json"],
  flags: { json: { type: "boolean", help: "Prints the same as JSON" } },
  main: async ({ json }, io) => {
    const diagnosis = await diagnose({ modelsFolder: "models" });
    io.print(json ? JSON.stringify(diagnosis, null, 2) : describe(diagnosis));
  },
});

/** Ten lines at most, of 80 columns at most. */
function describe({ deno, os, arch, backend, cores, memory, jsr, models }: Diagnosis): string {
  const rows = {
    Deno: `${deno} on ${os} ${arch}`,
    Backend: `${backend.name}: ${backend.version}, ${backend.device}`,
    "Why that": backend.why,
    Faster: backend.faster ?? "nothing that could be set up here",
    Memory: `${formatBytes(memory.totalBytes)}, ${formatBytes(memory.freeBytes)} free`,
    Cores: `${cores}`,
    JSR: jsr ? "reached" : "not reached; Node's built-ins serve instead",
    Models: models.join(", ") || "none in models/; scripts/fetch_model.ts fetches one",
  };
  return Object.entries(rows)
    .map(([name, text]) => clip(`${name.padEnd(9)} ${text}`))
    .join("\n");
}

function clip(line: string): string {
  return line.length <= 80 ? line : `${line.slice(0, 77)}...`;
}
