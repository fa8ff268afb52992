import { compileArguments, findCompiler, zigCompiler } from "../../lib/setup/compiler.ts";
import { runCommand } from "../../lib/setup/run_command.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { testUnless } from "../test_unless.ts";

const compiler = Deno.build.os === "windows" ? null : await findCompiler();
const parts = { sources: ["a.cc"], libraries: ["lib/libx.so"], output: "a.node" };

Deno.test("compileArguments() lets the library find its neighbours by its own place", () => {
  assert(compileArguments(parts, "linux").includes("-Wl,-rpath,$ORIGIN/lib"));
  assert(compileArguments(parts, "darwin").includes("-Wl,-rpath,@loader_path/lib"));
  assert(compileArguments(parts, "darwin").includes("dynamic_lookup"));
  assertEquals(compileArguments(parts, "linux").slice(-2), ["-o", "a.node"]);
});

testUnless(!compiler && "no C++ compiler", "quiet.cc holds stderr and gives it back", async () => {
  const folder = await Deno.makeTempDir();
  const output = `${folder}/libquiet.so`;
  const sources = [new URL("../../lib/setup/quiet.cc", import.meta.url).pathname];
  const { command } = await compiler!.prepare();
  await runCommand(command, { args: compileArguments({ sources, output }), purpose: "compile" });
  const script = `${folder}/say.ts`;
  await Deno.writeTextFile(
    script,
    `const { symbols } = Deno.dlopen(${JSON.stringify(output)}, {
      hold_stderr: { parameters: [], result: "i32" },
      release_stderr: { parameters: ["i32"], result: "void" },
    });
    console.error("before");
    const kept = symbols.hold_stderr();
    console.error("held");
    symbols.release_stderr(kept);
    console.error("after");`,
  );
  const args = ["run", "-q", "--no-config", "--allow-ffi", script];
  const { stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assertEquals(new TextDecoder().decode(stderr), "before\nafter\n");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("zigCompiler() states what it costs", () => {
  const zig = zigCompiler({ folder: "nowhere", python: "python3" });
  assert(zig.downloadBytes > 50e6 && zig.diskBytes > zig.downloadBytes);
});
