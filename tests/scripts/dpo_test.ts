import config from "../../deno.json" with { type: "json" };
import { assert, assertEquals } from "../../lib/std.ts";
import { commands } from "../../scripts/cli/commands.ts";

/** Scripts for whoever changes dpo-kit, or that only run in its folder. */
const others = [
  "check_docs",
  "check_notebooks",
  "dpo",
  "make_embedded_data",
  "notebooks",
  "ok",
  "real_run",
  "setup",
];

Deno.test("dpo.ts knows each script that a user runs, and its permission set", async () => {
  const root = new URL("../../scripts/", import.meta.url);
  const files = (await Array.fromAsync(Deno.readDir(root))).filter(({ isFile }) => isFile)
    .map(({ name }) => name.replace(/\.ts$/, ""));
  const known = Object.values(commands).map(({ script }) => script);
  assertEquals([...known, ...others].sort(), files.sort());
  for (const script of known) assert(Object.hasOwn(config.permissions, script), script);
});
