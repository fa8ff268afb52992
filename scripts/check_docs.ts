/** Holds the public documentation to `deno doc --lint`, but for types that belong to packages. */
import { runScript } from "./cli/run_script.ts";

/** Deno calls a package's type private wherever a public type names it; there is no other way. */
const typesOfPackages = /references private type '(Tensor|Tensor2D|ZodType)'/;

await runScript({
  name: "check_docs",
  summary: "finds public names that are undocumented, or refer to names that are not public",
  examples: ["", "--file lib/loss/dpo_loss.ts"],
  flags: {
    file: { type: "string", help: "The module whose exports are public", default: "mod.ts" },
  },
  async main({ file }, io) {
    const args = ["doc", "-q", "--lint", file];
    const env = { NO_COLOR: "1" };
    const { success, stderr } = await new Deno.Command("deno", { args, env }).output();
    const text = new TextDecoder().decode(stderr);
    const problems = text.split(/\n(?=error\[)/).filter((part) => part.startsWith("error["));
    const ours = problems.filter((problem) => !typesOfPackages.test(problem));
    for (const problem of ours) io.note(problem.trimEnd());
    if (!success && problems.length === 0) io.note(text);
    io.print(`${ours.length} problems in the documentation of ${file}`);
    return ours.length > 0 || (!success && problems.length === 0) ? 1 : 0;
  },
});
