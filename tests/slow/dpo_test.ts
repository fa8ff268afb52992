/** The one command for all scripts, as a user types it: in dpo-kit's folder and in another. */
import { join } from "node:path";
import { assert, assertEquals } from "../../lib/std.ts";

const root = new URL("../../", import.meta.url).pathname;

async function dpo(args: string[], cwd = root) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-prompt", "--allow-run=deno", join(root, "scripts/dpo.ts"), ...args],
    cwd,
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

Deno.test("dpo.ts lists commands, refuses others and gives a script's exit code", async () => {
  const [help, none, wrong, usage] = await Promise.all([
    dpo(["--help"]),
    dpo([]),
    dpo(["trian"]),
    dpo(["train", "--bta", "1"]),
  ]);
  assertEquals([help.code, none.code, wrong.code, usage.code], [0, 2, 2, 2]);
  assertEquals(help.stdout, none.stdout);
  const wide = help.stdout.split("\n").filter((line) => line.length > 80);
  assertEquals(wide, []);
  assertEquals(wrong.stderr, 'Cannot run "trian": no such command; did you mean "train"?\n');
  assert(usage.stderr.includes("did you mean --beta"), usage.stderr);
});

Deno.test("dpo.ts in another folder reads and writes there, and not in dpo-kit's", async () => {
  const place = await Deno.makeTempDir();
  try {
    const model = join(root, "models/sft_specialist/final_model");
    const rows = await Deno.readTextFile(join(root, "phase2_data/dpo/val_dpo.jsonl"));
    await Deno.writeTextFile(join(place, "rows.jsonl"), rows.split("\n").slice(0, 4).join("\n"));
    const score = ["score", "--model_path", model, "--file", "rows.jsonl", "--output"];
    const here = await dpo([...score, "scores.jsonl"], place);
    assertEquals(here.code, 0, here.stderr);
    const help = await dpo(["score", "--help"], place);
    assert(help.stdout.includes("\n  dpo-kit score [flags]\n"), help.stdout);
    const lines = (await Deno.readTextFile(join(place, "scores.jsonl"))).trim().split("\n");
    assertEquals(lines.length, 4);
    const there = await dpo([...score, join(root, "models/scores.jsonl")], place);
    assertEquals(there.code, 1, there.stdout);
    assert(
      /^Cannot write .* start it in one that holds all of it\n$/s.test(there.stderr),
      there.stderr,
    );
  } finally {
    await Deno.remove(place, { recursive: true });
  }
});
