/** What is typed wrongly is told in one sentence, before anything is fetched or written. */
import { join } from "node:path";
import { assertEquals } from "../../lib/std.ts";

const root = new URL("../../", import.meta.url);

async function fetchModel(...args: string[]) {
  const script = new URL("scripts/fetch_model.ts", root).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--deny-net", "--deny-run", script, ...args],
    cwd: root,
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

Deno.test("fetch_model ends bad input in one sentence and writes nothing", async () => {
  const folder = await Deno.makeTempDir(), taken = join(folder, "taken");
  await Deno.mkdir(taken);
  const cases: [args: string[], code: number, says: string][] = [
    [[], 2, "--model is missing: Hub id (owner/name), or SmolLM2-135M-Instruct\n"],
    [
      ["--model", "llama", "--output_dir", join(folder, "new")],
      2,
      '--model must be a hub id (owner/name) or SmolLM2-135M-Instruct, found "llama"\n',
    ],
    [
      ["--model", "SmolLM2-135M-Instruct", "--output_dir", taken],
      1,
      `Cannot fetch into "${taken}": something else is there; choose another --output_dir or ` +
      "remove it\n",
    ],
    [
      ["--modle", "SmolLM2-135M-Instruct"],
      2,
      "Unknown flag --modle; did you mean --model?\n",
    ],
  ];
  for (const [args, code, stderr] of cases) {
    assertEquals(await fetchModel(...args), { code, stdout: "", stderr });
  }
  assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["taken"]);
});
