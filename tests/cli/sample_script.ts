/** A script for run_script_test.ts; it borrows the permission set of a real one. */
import { UserError } from "../../lib/errors.ts";
import { runScript } from "../../scripts/cli/run_script.ts";

await runScript({
  name: "fetch_model",
  summary: "does what a test asks for",
  examples: ["--mode ok"],
  flags: {
    mode: {
      type: "choice",
      choices: ["ok", "code", "mistake", "crash", "read", "full", "wait", "stubborn", "lines"],
      default: "ok",
      help: "What to do",
    },
    path: { type: "string", help: "What to read or to fill", default: "" },
  },
  async main({ mode, path }, io) {
    const progress = io.progress({ label: "Trying", total: 2, unit: "times" });
    progress.update({ done: 1 });
    if (mode === "code") return 1;
    if (mode === "mistake") throw new UserError("Cannot do it: it is too much");
    if (mode === "crash") throw new TypeError("undefined is not a dream");
    if (mode === "read") io.print(await Deno.readTextFile(path));
    if (mode === "full") await Deno.writeTextFile(path, "text");
    if (mode === "lines") { for (let i = 0; i < 1e5; i++) io.print(`line ${i}`); }
    if (mode === "stubborn") {
      io.print("up");
      await new Promise((done) => setTimeout(done, 10_000));
      io.print("slept");
    }
    if (mode === "wait") {
      const stopped = new Promise((done) => io.signal.addEventListener("abort", done));
      const timer = setInterval(() => {}, 1000);
      io.print("up");
      await stopped;
      clearInterval(timer);
      io.print("stored");
    }
    progress.end();
  },
});
