import { assert, assertEquals } from "../../lib/std.ts";

const sample = new URL("sample_script.ts", import.meta.url).pathname;
const root = new URL("../../", import.meta.url);
const deno = (args: string[]) =>
  new Deno.Command(Deno.execPath(), { args, cwd: root, stdout: "piped", stderr: "piped" });

async function run(args: string[], permissions: string[] = []) {
  const command = deno(["run", "-q", "--no-prompt", ...permissions, sample, ...args]);
  const { code, stdout, stderr } = await command.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

Deno.test("runScript() exits with 0, with main's code, with 1 or with 2", async () => {
  const codes: [string[], number, string][] = [
    [[], 0, "Trying: 1/2 times"],
    [["--mode", "code"], 1, ""],
    [["--mode", "mistake"], 1, "Cannot do it: it is too much\n"],
    [["--mode", "crash"], 1, "Unexpected error: TypeError: undefined is not a dream (--debug"],
    [["--made", "ok"], 2, "Unknown flag --made; did you mean --mode?\n"],
    [["--mode", "x"], 2, "--mode must be one of ok, code, mistake, crash, read, full"],
  ];
  const results = await Promise.all(codes.map(([args]) => run(args)));
  for (const [i, [args, code, start]] of codes.entries()) {
    const { code: found, stdout, stderr } = results[i];
    assertEquals([found, stdout], [code, ""], `${args}: ${stderr}`);
    assert(stderr.startsWith(start), stderr);
    assert(!stderr.includes("    at "), stderr);
  }
});

Deno.test("runScript() prints help on stdout, and an error's origin where --debug asks for it", async () => {
  const help = await run(["--mode", "crash", "--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  assert(help.stdout.startsWith("fetch_model: does what a test asks for\n"), help.stdout);
  const crash = await run(["--mode", "crash", "--debug"]);
  assert(/ {4}at .*sample_script\.ts/.test(crash.stderr), crash.stderr);
});

Deno.test("runScript() says where scripts are run, to whoever stands elsewhere", async () => {
  const folder = await Deno.makeTempDir();
  const told = async (...permissions: string[]) => {
    const args = ["run", "-q", "--no-prompt", ...permissions, sample, "--mode", "mistake"];
    const { stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: folder }).output();
    return new TextDecoder().decode(stderr);
  };
  const where = "This is not dpo-kit's folder, where its scripts are run.\n";
  assertEquals(await told("-A"), `Cannot do it: it is too much\n${where}`);
  assertEquals((await run(["--mode", "mistake"], ["-A"])).stderr, "Cannot do it: it is too much\n");
});

Deno.test("runScript() names a permission that is missing, and the command that it gives works", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/in put.txt`, "what it says");
  const denied = await run(["--mode", "read", "--path", `${folder}/in put.txt`], [
    "-P=fetch_model",
  ]);
  assertEquals([denied.code, denied.stdout], [1, ""]);
  const [sentence, command] = denied.stderr.trimEnd().split("\n  ");
  assert(sentence.startsWith(`Cannot read "${folder}/in put.txt": the permission set`), sentence);
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) =>
    quoted ?? plain
  );
  assertEquals(words.slice(0, 3), ["deno", "run", "-q"]);
  const args = words.slice(1).map((word) => word === "scripts/fetch_model.ts" ? sample : word);
  const granted = await deno([args[0], "--no-prompt", ...args.slice(1)]).output();
  assertEquals(new TextDecoder().decode(granted.stdout), "what it says\n");
  await Deno.remove(folder, { recursive: true });
});

Deno.test({
  name: "runScript() says that the disk is full",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const { code, stderr } = await run(["--mode", "full", "--path", "/dev/full"], ["-A"]);
    assertEquals(code, 1);
    assert(stderr.startsWith("Cannot go on: the disk is full (No space left"), stderr);
  },
});

/** Starts the script, and sends signals once it says that it is up. */
async function runAndSignal(mode: string, signals: Deno.Signal[]) {
  const child = deno(["run", "-q", sample, "--mode", mode]).spawn();
  let stdout = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    stdout += text;
    for (const signal of text.includes("up") ? signals : []) {
      child.kill(signal);
      await new Promise((done) => setTimeout(done, 100));
    }
  }
  const stderr = await new Response(child.stderr).text();
  return { code: (await child.status).code, stdout, stderr };
}

Deno.test({
  name: "runScript() lets main end cleanly after Ctrl-C, and ends at once after a second one",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const once = await runAndSignal("wait", ["SIGINT"]);
    assertEquals([once.code, once.stdout], [130, "up\nstored\n"]);
    assert(once.stderr.startsWith("Stopping as soon as all is stored"), once.stderr);
    assertEquals((await runAndSignal("wait", ["SIGTERM"])).code, 143);
    const twice = await runAndSignal("stubborn", ["SIGINT", "SIGINT"]);
    assertEquals([twice.code, twice.stdout], [130, "up\n"]);
  },
});

Deno.test("runScript() ends quietly when the reader of its results leaves", async () => {
  const child = deno(["run", "-q", sample, "--mode", "lines"]).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const stderr = await new Response(child.stderr).text();
  assertEquals([(await child.status).code, stderr], [141, ""]);
});
