import { assert, assertEquals } from "../../lib/std.ts";
import config from "../../deno.json" with { type: "json" };

const root = new URL("../../", import.meta.url);
const names = (await Array.fromAsync(Deno.readDir(new URL("scripts", root))))
  .filter(({ name }) => name.endsWith(".ts")).map(({ name }) => name.slice(0, -3)).sort();

/** Runs a script as a user without any flag of Deno does: under the permission set of its name. */
async function run(name: string, flag: string) {
  const args = ["run", "-q", "--no-prompt", `-P=${name}`, `scripts/${name}.ts`, flag];
  const { code, stdout, stderr } = await new Deno.Command("deno", { args, cwd: root }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

for (const name of names) {
  Deno.test(`${name} has a permission set of its own that grants only what is named`, () => {
    const sets = config.permissions as Record<string, { all?: boolean } | undefined>;
    assert(sets[name], `deno.json has no permission set "${name}"`);
    assert(
      !sets[name].all && !Object.values(sets[name]).includes(true),
      JSON.stringify(sets[name]),
    );
  });

  Deno.test(`${name} --help explains it within 80 columns`, async () => {
    const { code, stdout, stderr } = await run(name, "--help");
    assertEquals([code, stderr], [0, ""]);
    assert(stdout.startsWith(`${name}: `), stdout);
    assert(stdout.includes(`deno run -q -P=${name} scripts/${name}.ts`), stdout);
    assert(/Examples?:\n/.test(stdout), stdout);
    assertEquals(stdout.split("\n").filter((line) => line.length > 80), []);
  });

  Deno.test(`${name} refuses an unknown flag with exit 2 and the nearest name`, async () => {
    const { code, stdout, stderr } = await run(name, "--halp");
    assertEquals([code, stdout], [2, ""]);
    assertEquals(stderr, "Unknown flag --halp; did you mean --help?\n");
  });
}
