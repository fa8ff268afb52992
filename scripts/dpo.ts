/**
 * One command for the others: `deno run -q -P=dpo scripts/dpo.ts train --beta 0.2` starts
 * `scripts/train_dpo.ts` with that script's own permissions and no others.
 */
import { join } from "node:path";
import config from "../deno.json" with { type: "json" };
import { didYouMean } from "../lib/did_you_mean.ts";
import { commands } from "./cli/commands.ts";
import { isInProject, project } from "./cli/place.ts";

if (import.meta.main) {
  const [command = "--help", ...args] = Deno.args;
  if (["--help", "-h", "help"].includes(command)) {
    console.log(helpText());
    Deno.exit(Deno.args.length === 0 ? 2 : 0);
  }
  if (!Object.hasOwn(commands, command)) {
    const isFlag = command.startsWith("-");
    const what = isFlag ? `Unknown flag ${command}` : `Cannot run "${command}": no such command`;
    const hint = isFlag
      ? "; did you mean --help?"
      : didYouMean(command, Object.keys(commands)) || "; --help lists the commands there are";
    console.error(what + hint);
    Deno.exit(2);
  }
  Deno.exit(await start(commands[command].script, args));
}

function helpText(): string {
  const rows = Object.entries(commands).map(([name, { summary }]) =>
    `  ${name.padEnd(15)}${summary}`
  );
  return [
    "dpo: one command for all of dpo-kit, from pairs to a model to hand on; each runs",
    "with permissions of its own.",
    "",
    "Usage:",
    "  deno run -q -P=dpo scripts/dpo.ts COMMAND [flags]",
    "",
    "Commands (COMMAND --help says more):",
    ...rows,
    "",
    "Examples:",
    "  deno run -q -P=dpo scripts/dpo.ts train --beta 0.2",
    "  deno run -q -P=dpo scripts/dpo.ts evaluate --help",
  ].join("\n");
}

/** Runs a script in a process of its own and gives its exit code; Ctrl-C is the script's. */
async function start(script: string, args: string[]): Promise<number> {
  const child = new Deno.Command("deno", {
    args: ["run", "-q", "--no-prompt", ...grantsOf(script), join(project, `scripts/${script}.ts`)]
      .concat(args),
  }).spawn();
  Deno.addSignalListener("SIGINT", () => {}); // the terminal sends it to the child as well
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => child.kill("SIGTERM"));
  return (await child.status).code;
}

/**
 * In dpo-kit's folder a script has its permission set. Elsewhere the same, but it reads the folder
 * where it was started too, and writes there and not in dpo-kit's.
 */
function grantsOf(script: string): string[] {
  if (isInProject()) return [`-P=${script}`];
  const sets = config.permissions as Record<string, object>, here = Deno.cwd();
  const grants = Object.entries(sets[script]) as [kind: string, names: string[]][];
  return [
    "--config",
    join(project, "deno.json"),
    ...grants.map(([kind, names]) => {
      if (kind === "read") return `--allow-read=${project},${here}`;
      if (kind === "write") return `--allow-write=${here}`;
      return `--allow-${kind}=${names.map((name) => kind === "ffi" ? join(project, name) : name)}`;
    }),
  ];
}
