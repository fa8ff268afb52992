import { assert, assertEquals } from "../../lib/std.ts";

/** Runs the script as a user does, with its own permissions and nothing more. */
async function doctor(...flags: string[]) {
  const script = ["run", "-q", "--no-prompt", "-P=doctor", "scripts/doctor.ts"];
  const command = new Deno.Command(Deno.execPath(), { args: [...script, ...flags] });
  const { code, stdout, stderr } = await command.output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

Deno.test("doctor.ts fits ten lines of 80 columns and says nothing else", async () => {
  const { code, stdout, stderr } = await doctor();
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  assert(lines.length <= 10, stdout);
  assert(lines.every((line) => line.length <= 80), stdout);
  assertEquals(lines[0], `Deno      ${Deno.version.deno} on ${Deno.build.os} ${Deno.build.arch}`);
});

Deno.test("doctor.ts --json says the same as data", async () => {
  const { code, stdout } = await doctor("--json");
  const { backend, cores, memory, jsr, models } = JSON.parse(stdout);
  assertEquals(code, 0);
  assert(["tensorflow", "webgpu", "wasm"].includes(backend.name), backend.name);
  assert(backend.why.length > 0 && cores > 0 && memory.totalBytes > memory.freeBytes);
  assert(typeof jsr === "boolean" && Array.isArray(models));
});

const mistakes = { "--jsn": "Unknown flag --jsn", now: "Cannot place", "--json=maybe": "--json" };
for (const [typed, words] of Object.entries(mistakes)) {
  Deno.test(`doctor.ts answers "${typed}" with a sentence and exit code 2`, async () => {
    const { code, stdout, stderr } = await doctor(typed);
    assertEquals([code, stdout], [2, ""]);
    assert(stderr.startsWith(words) && stderr.trimEnd().split("\n").length === 1, stderr);
  });
}
