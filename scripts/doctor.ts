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
    Backend: `${backend.name}: ${backend.version}, ${backend.device}, ${backend.kernels} kernels`,
    "Why that": backend.why,
    Faster: backend.faster ?? "nothing that could be set up here",
    Memory: `${formatBytes(memory.totalBytes)}, ${formatBytes(memory.freeBytes)} free`,
    Cores: `${cores}`,
    JSR: jsr ? "reached" : "not reached; Node's built-ins serve instead",
    Models: models.join(", ") || "none in models/; scripts/fetch_model.ts fetches one",
  };
  return Object.entries(rows)
    .flatMap(([name, text]) => layOut(name, text, name === "Why that" ? 3 : 1))
    .join("\n");
}

/** A row on at most `most` lines; what finds no room there is cut. */
function layOut(name: string, text: string, most: number): string[] {
  const lines = text.match(/\S.{0,69}(?=\s|$)|\S{70}/g) ?? [""];
  const last = lines.slice(most - 1).join(" ");
  const clipped = last.length <= 70 ? last : `${last.slice(0, 67)}...`;
  return [...lines.slice(0, most - 1), clipped].filter((line, i) => i === 0 || line !== "")
    .map((line, i) => `${(i === 0 ? name : "").padEnd(9)} ${line}`);
}
