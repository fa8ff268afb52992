import { join } from "node:path";
import { assertEquals } from "../../lib/std.ts";
import { tryToWrite } from "../../lib/train/try_to_write.ts";
import { userError } from "../io/damage.ts";
import { namesIn } from "./tiny_runs.ts";

/** What a process with these permissions says of a folder. */
async function saidWith(permissions: string[], folder: string): Promise<string> {
  const { href } = new URL("../../lib/train/try_to_write.ts", import.meta.url);
  const script = join(await Deno.makeTempDir(), "try.ts"), name = JSON.stringify(folder);
  const report = "(error) => console.log(error.name, error.message)";
  const code = `import { tryToWrite } from "${href}"; await tryToWrite(${name}).catch(${report});`;
  await Deno.writeTextFile(script, code);
  const args = ["run", "-q", "--no-check", "--no-prompt", ...permissions, script];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

Deno.test("tryToWrite() makes the folder and leaves nothing in it", async () => {
  const folder = join(await Deno.makeTempDir(), "a", "b");
  await tryToWrite(folder);
  assertEquals(namesIn(folder), []);
});

Deno.test("tryToWrite() refuses a folder that may be written but not read", async () => {
  const folder = await Deno.makeTempDir(), write = `--allow-write=${folder}`;
  assertEquals(
    await saidWith([write], folder),
    `UserError Cannot read "${folder}": this process was started without that permission; grant ` +
      "it with --allow-read\n",
  );
  assertEquals(await saidWith([write, `--allow-read=${folder}`], folder), "");
  assertEquals(namesIn(folder), []);
});

Deno.test({
  name: "tryToWrite() refuses a folder whose list the system denies",
  ignore: Deno.build.os === "windows" || Deno.uid() === 0, // root may read anything
  fn: async () => {
    const folder = await Deno.makeTempDir();
    await Deno.chmod(folder, 0o333);
    const { message } = await userError(tryToWrite(folder));
    assertEquals(message.startsWith(`Cannot read "${folder}": the system denies access`), true);
  },
});
