import { commandRuns, runCommand } from "../../lib/setup/run_command.ts";
import { assertEquals } from "../../lib/std.ts";

const deno = Deno.execPath();
const failing = (text: string) => ["eval", `console.error(${JSON.stringify(text)}); Deno.exit(3)`];
const messageOf = (args: string[], command = deno) =>
  runCommand(command, { args, purpose: "mend it" }).catch(({ message }) => message);

Deno.test("runCommand() returns what was printed", async () => {
  const args = ["eval", 'console.log("done")'];
  assertEquals(await runCommand(deno, { args, purpose: "say it" }), "done\n");
});

Deno.test("runCommand() quotes the line that tells of the error, else the last", async () => {
  const text = "a.cc:1: fatal error: no x.h\n1 mistake made.";
  assertEquals(
    await messageOf(failing(text)),
    `Cannot mend it: ${deno} says "a.cc:1: fatal error: no x.h"`,
  );
  assertEquals(await messageOf(failing("one\ntwo")), `Cannot mend it: ${deno} says "two"`);
  assertEquals(
    await messageOf(["eval", "Deno.exit(3)"]),
    `Cannot mend it: ${deno} says nothing, and exits with 3`,
  );
});

Deno.test("runCommand() says that a program is not installed", async () => {
  const message = await messageOf([], "no-such-program");
  assertEquals(message, "Cannot mend it: no-such-program is not installed");
  assertEquals(await commandRuns("no-such-program", []), false);
});
