import { resolve } from "node:path";
import { UsageError, UserError } from "../../lib/errors.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { explainError } from "../../scripts/cli/explain_error.ts";

const denied = (kind: string, target: string) =>
  new Deno.errors.NotCapable(
    `Requires ${kind} access to "${target}", run again with the --allow-${kind} flag`,
  );
/** A process that was started with the set of fetch_model: it reads and writes ./models. */
const isGranted = (_kind: string, target = "") => target === "./models";
const pathFlags = ["--file", "--source", "--output", "--output_dir"];
const explain = (error: unknown, ...args: string[]) =>
  explainError(error, { name: "fetch_model", args, pathFlags, isGranted });

Deno.test("explainError() prints a user's mistake as it is, with exit 1, or 2 for a wrong command", () => {
  assertEquals(explain(new UserError("Cannot read it")), {
    message: "Cannot read it",
    exitCode: 1,
  });
  assertEquals(explain(new UsageError("Unknown flag")), { message: "Unknown flag", exitCode: 2 });
});

Deno.test("explainError() gives the command that grants a path, beside what the set grants", () => {
  // The set of fetch_model reads and writes ./models; a flag replaces that kind of the set.
  const { message, exitCode } = explain(
    denied("read", "/data/in x.jsonl"),
    "--file",
    "/data/in x.jsonl",
  );
  assertEquals(exitCode, 1);
  assertEquals(
    message,
    `Cannot read "/data/in x.jsonl": the permission set "fetch_model" does not cover it; if it ` +
      `should, run\n  deno run -q -P=fetch_model '--allow-read=./models,/data/in x.jsonl' ` +
      `scripts/fetch_model.ts --file '/data/in x.jsonl'`,
  );
});

Deno.test("explainError() grants the folder that the user named, or the one that holds the file", () => {
  const grant = (error: Error, ...args: string[]) =>
    explain(error, ...args).message.match(/--allow-(?!read)\w+=\S+/)?.[0];
  const write = (path: string, ...args: string[]) => grant(denied("write", path), ...args);
  assertEquals(write("/out/run/a.tmp", "--output_dir=/out/run"), "--allow-write=./models,/out/run");
  assertEquals(write("/out/run.tmp-7", "--output_dir", "/out/run"), "--allow-write=./models,/out");
  assertEquals(write(resolve("runs/a/b"), "--output_dir", "runs"), "--allow-write=./models,runs");
  assertEquals(write("/out/new", "--output=/out/new/a.jsonl"), "--allow-write=./models,/out/new");
  assertEquals(grant(denied("env", "HOME")), "--allow-env=HF_TOKEN,HOME");
});

Deno.test("explainError() grants reading beside writing, unless the set does", () => {
  const commands = ["/out/a", "models/a"].map((path) =>
    explain(denied("write", resolve(path)), `--output_dir=${path}`).message.split("\n")[1]
  );
  assert(commands[0].includes("--allow-read=./models,/out/a --allow-write=./models,/out/a"));
  assert(!commands[1].includes("--allow-read"));
});

Deno.test("explainError() grants writing where an output's folder could not be read", () => {
  const told = (...args: string[]) => explain(denied("read", "/out"), ...args).message;
  for (const args of [["--output=/out/a.jsonl"], ["--output", "/out/a.jsonl"]]) {
    assert(told(...args).includes("--allow-read=./models,/out --allow-write=./models,/out"));
  }
  assert(!told("--file", "/out/a.jsonl").includes("--allow-write"), "an input is only read");
});

Deno.test("explainError() keeps what the user granted already, for a flag replaces the one before", () => {
  const args = ["--source", "/in/a.csv", "--output", "/out/b.jsonl"];
  const options = { name: "fetch_model", args, pathFlags };
  const given = (kind: string, target = "") =>
    target === "./models" || kind === "read" && target === "/in/a.csv";
  const { message } = explainError(denied("read", "/out"), { ...options, isGranted: given });
  assert(message.includes("--allow-read=./models,/out,/in/a.csv --allow-write=./models,/out "));
});

Deno.test("explainError() grants no word that only looks like a path", () => {
  const args = ["--file", "/in/a", "--prompt", "fever,/etc", "--seed", "7"];
  const options = { name: "fetch_model", args, pathFlags, isGranted };
  const { message } = explainError(denied("read", "/in/a"), options);
  assert(message.includes(" --allow-read=./models,/in/a scripts/"), message);
});

Deno.test("explainError() grants neither the whole project, nor the disk, nor half of a name", () => {
  for (const path of ["foo.jsonl", "/foo.jsonl"]) {
    const { message } = explain(denied("write", resolve(path)), "--output", path);
    assert(
      message.startsWith(`Cannot write "${path}": a grant for it would be one for all`),
      message,
    );
    assert(message.endsWith("say models/foo.jsonl"), message);
  }
  const { message } = explain(denied("read", "/x/a"), "--file", "/x/y/a,b/c.jsonl");
  assert(message.includes(" --allow-read=./models,/x/a,/x/y scripts/"), message);
});

Deno.test("explainError() says that a script was started without its set", () => {
  const args = ["--model", "a b"];
  const options = { name: "fetch_model", args, pathFlags, isGranted: () => false };
  assertEquals(
    explainError(denied("read", "models/x.42-1.tmp"), options).message,
    'Cannot read "models/x": this script was started without its permissions (-P=fetch_model); ' +
      "run\n  deno run -q -P=fetch_model scripts/fetch_model.ts --model 'a b'",
  );
});

Deno.test("explainError() finds a missing permission behind the message of a library", () => {
  const error = new UserError('Cannot read "/a"', { cause: denied("read", "/a") });
  assertEquals(
    explain(error).message.split("\n")[0],
    explain(denied("read", "/a")).message.split("\n")[0],
  );
});

Deno.test("explainError() knows what each backend says when memory runs out", () => {
  const said = [
    new Error("Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[2000000]"),
    new WebAssembly.RuntimeError("memory access out of bounds"),
    new RangeError("Array buffer allocation failed"),
    new UserError("while training", { cause: new Error("Out of memory") }),
  ];
  for (const error of said.slice(0, 3)) {
    const { message, exitCode } = explain(error);
    assert(message.startsWith("Cannot go on: memory ran out; run again with a smaller --batch_si"));
    assertEquals(exitCode, 1);
  }
  assertEquals(explain(said[3]).message, "while training"); // a sentence that is there already
});

Deno.test("explainError() knows a full disk, and says how to see an unexpected error's origin", () => {
  const full = Object.assign(new Error("No space left on device (os error 28)"), {
    code: "ENOSPC",
  });
  assertEquals(
    explain(new Error("while saving", { cause: full })).message,
    "Cannot go on: the disk is full (No space left on device (os error 28)); free some space and " +
      "run the same command again",
  );
  const hint = "(--debug shows where it arose)";
  assertEquals(explain(new TypeError("a is not b")), {
    message: `Unexpected error: TypeError: a is not b ${hint}`,
    exitCode: 1,
  });
  assertEquals(explain("text").message, `Unexpected error: text ${hint}`);
});
