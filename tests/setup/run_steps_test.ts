import { join } from "node:path";
import { remainingSteps, runSteps, type Step } from "../../lib/setup/run_steps.ts";
import { assertEquals } from "../../lib/std.ts";

const report = { line() {}, progress() {} };

/** A folder and a chain of three steps in it; each writes a file, and `broken` names one that dies. */
async function chain() {
  const folder = await Deno.makeTempDir();
  const ran: string[] = [];
  const state = { broken: "", key: "1" };
  const steps = (): Step[] =>
    ["fetch", "unpack", "build"].map((name) => ({
      name,
      key: state.key,
      async run() {
        ran.push(name);
        if (name === state.broken) throw new Error(`${name} was interrupted`);
        await Deno.writeTextFile(join(folder, name), `made by ${name}`);
        return [name];
      },
    }));
  const run = () => runSteps(steps(), { folder, report });
  return { folder, ran, state, steps, run };
}

Deno.test("runSteps() runs each step once, then none", async () => {
  const { folder, run } = await chain();
  assertEquals(await run(), ["fetch", "unpack", "build"]);
  assertEquals(await run(), []);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("runSteps() goes on with the step that was interrupted", async () => {
  const { folder, state, ran, run } = await chain();
  state.broken = "unpack";
  assertEquals(await run().catch(({ message }) => message), "unpack was interrupted");
  state.broken = "";
  assertEquals(await run(), ["unpack", "build"]);
  assertEquals(ran, ["fetch", "unpack", "unpack", "build"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("runSteps() does a step again when a file of its has another size", async () => {
  const { folder, run } = await chain();
  await run();
  await Deno.writeTextFile(join(folder, "build"), "cut off");
  assertEquals(await run(), ["build"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("runSteps() needs no file of a step whose successors are done", async () => {
  const { folder, run } = await chain();
  await run();
  await Deno.remove(join(folder, "fetch"));
  assertEquals(await run(), []);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("runSteps() starts over when the key changes or a stamp is damaged", async () => {
  const { folder, state, steps, run } = await chain();
  await run();
  state.key = "2";
  assertEquals((await remainingSteps(steps(), folder)).length, 3);
  assertEquals(await run(), ["fetch", "unpack", "build"]);
  for (const name of ["unpack", "build"]) {
    await Deno.writeTextFile(join(folder, "steps", `${name}.json`), '{"key": "2", "fil');
  }
  assertEquals(await run(), ["unpack", "build"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("runSteps() leaves no stamp of a step that failed after it was done once", async () => {
  const { folder, state, run } = await chain();
  await run();
  await Deno.remove(join(folder, "build"));
  state.broken = "build";
  assertEquals(await run().catch(({ message }) => message), "build was interrupted");
  await Deno.writeTextFile(join(folder, "build"), "made by build");
  state.broken = "";
  assertEquals(await run(), ["build"]);
  await Deno.remove(folder, { recursive: true });
});
