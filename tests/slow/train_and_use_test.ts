/** The scripts one after the other, as a user runs them, on a tiny model. */
import { join } from "node:path";
import { sha256File } from "../../lib/io/sha256_file.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { TRIPLETS } from "../train/tiny_folder.ts";
import { namesIn } from "../train/tiny_runs.ts";
import {
  runScript,
  scriptCommand,
  tinyWorkplace,
  typed,
  type Workplace,
} from "../scripts/run_tiny.ts";

/** Runs a script that must succeed and returns what it printed on stdout. */
async function succeed(name: string, flags: Record<string, string | number>): Promise<string> {
  const { code, stdout, stderr } = await runScript(name, typed(flags));
  assertEquals(code, 0, stderr);
  return stdout;
}

const jsonLines = (text: string) => text.trimEnd().split("\n").map((line) => JSON.parse(line));

function dpoFlags({ at }: Workplace, model: string): Record<string, string | number> {
  return {
    sft_model_path: at(model),
    train_file: at("triplets.jsonl"),
    val_file: at("triplets.jsonl"),
    output_dir: at("dpo"),
    learning_rate: 1e-2,
    batch_size: 2,
  };
}

Deno.test("train_sft, train_dpo, score and generate work hand in hand over a Stage A adapter", async () => {
  using place = await tinyWorkplace();
  const { at } = place;
  const stageA = join(at("sft"), "final_model"), policy = join(at("dpo"), "final_model");
  const sft = await succeed("train_sft", {
    model_path: at("model"),
    train_file: at("examples.jsonl"),
    output_dir: at("sft"),
    learning_rate: 1e-2,
    target_modules: "all-linear",
  });
  assert(sft.endsWith(`SFT Training completed!\nModel saved to ${stageA}\n`), sft);
  const dpo = await succeed("train_dpo", dpoFlags(place, join("sft", "final_model")));
  const block =
    /^Epoch 1\/2:\n={60}\nTrain Loss: 0\.\d\d\nVal Loss: 0\.\d\d\nChosen Preference: \d+%\n\n/;
  assert(block.test(dpo), dpo);
  assert(dpo.endsWith(`DPO Training completed!\nModel saved to ${policy}\n`), dpo);

  const file = at("triplets.jsonl");
  for (const [method, path] of [["sft", at("examples.jsonl")], ["dpo", file]]) {
    const stats = await Deno.readTextFile(join(at(method), `${method}_training_stats.json`));
    const { settings } = JSON.parse(stats), sha256 = await sha256File(path);
    assertEquals(settings.max_length, 1024);
    const rows = { used: 5, cut: 0, invalid: 0, dropped: 0 };
    assertEquals(settings.train_rows, { file: { path, sha256 }, ...rows });
  }
  const scores = jsonLines(await succeed("score", { adapter_path: policy, file }));
  assertEquals(scores.map(({ index }) => index), [0, 1, 2, 3, 4]);
  assertEquals(Object.keys(scores[0]), [
    "index",
    "logps_chosen",
    "logps_rejected",
    "ref_logps_chosen",
    "ref_logps_rejected",
    "tokens_chosen",
    "tokens_rejected",
  ]);
  const moved = scores.map((row) => row.logps_chosen - row.ref_logps_chosen);
  assert(moved.every((change) => Math.abs(change) > 1e-3), String(moved));
  const ofStageA = jsonLines(await succeed("score", { model_path: stageA, file }));
  assertEquals(
    ofStageA.map((row) => row.logps_chosen),
    ofStageA.map((row) => row.ref_logps_chosen),
  );
  assertClose(
    scores.map((row) => row.ref_logps_chosen),
    ofStageA.map((row) => row.logps_chosen),
    { absolute: 1e-4 },
  );

  const one = { adapter_path: policy, max_new_tokens: 4 };
  const text = await succeed("generate", { ...one, prompt: TRIPLETS[0].prompt });
  const output = at("texts.jsonl");
  assertEquals(await succeed("generate", { ...one, file, output }), "");
  const rows = jsonLines(await Deno.readTextFile(output));
  assertEquals(rows.map(({ prompt }) => prompt), TRIPLETS.map(({ prompt }) => prompt));
  assertEquals(`${rows[0].text}\n`, text);
});

Deno.test("train_dpo stopped by Ctrl-C ends with a checkpoint that --resume goes on from", async () => {
  using place = await tinyWorkplace();
  const flags = { ...dpoFlags(place, "model"), num_epochs: 12 };
  const child = scriptCommand("train_dpo", typed(flags)).spawn();
  const stderr = new Response(child.stderr).text();
  let stdout = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (stdout === "") child.kill("SIGINT"); // the first epoch's block
    stdout += text;
  }
  const { code } = await child.status, said = await stderr;
  assertEquals(code, 130, said);
  const [, step] = said.match(/\nStopped after step (\d+); go on with --resume\n$/) ?? [];
  assert(Number(step) >= 3 && Number(step) < 36, said);
  assert(!namesIn(place.at("dpo")).some((name) => /final_model|tmp/.test(name)));
  const resumed = await runScript("train_dpo", [...typed(flags), "--resume"]);
  assertEquals(resumed.code, 0, resumed.stderr);
  assert(resumed.stderr.includes(`Going on after step ${step} of 36.`), resumed.stderr);
});

/** A disk of some kilobytes, where this process may mount one. */
async function smallDisk(folder: string, sizeBytes: number): Promise<boolean> {
  await Deno.mkdir(folder);
  const options = `size=${sizeBytes}`;
  const mount = new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", options, "tmpfs", folder],
  });
  const { success } = await mount.output().catch(() => ({ success: false }));
  if (!success) console.log("skipped: no small disk can be mounted here");
  return success;
}

Deno.test("the trainers say with --dry_run what a run will take, and write nothing", async () => {
  using place = await tinyWorkplace();
  const { at } = place, dry = { dry_run: "true", output_dir: at("out") };
  const [dpo, sft] = await Promise.all([
    runScript("train_dpo", [
      ...typed({ sft_model_path: at("model"), train_file: at("triplets.jsonl"), ...dry }),
    ]),
    runScript("train_sft", [
      ...typed({ model_path: at("model"), train_file: at("examples.jsonl"), ...dry }),
    ]),
  ]);
  const wanted = /^A dry run: nothing is trained\..*\nMemory: about .*\nTime here: /s;
  for (const { code, stdout, stderr } of [dpo, sft]) {
    assertEquals(code, 0, stderr);
    assert(wanted.test(stdout), stdout);
  }
  assert(!namesIn(place.root).includes("out"));
});

Deno.test("train_dpo and score say that the disk is full, and leave nothing half-written", async () => {
  using place = await tinyWorkplace();
  const disk = place.at("disk");
  if (!await smallDisk(disk, 16 * 1024)) return;
  try {
    await Deno.writeFile(join(disk, "ballast"), new Uint8Array(4096));
    const flags = { ...dpoFlags(place, "model"), output_dir: join(disk, "dpo") };
    const trained = await runScript("train_dpo", typed(flags));
    const last = trained.stderr.trimEnd().split("\n").at(-1)!;
    assertEquals(trained.code, 1, trained.stderr);
    assert(last.startsWith(`Cannot write "${join(disk, "dpo", "checkpoint_epoch_1")}`), last);
    assert(last.endsWith("the disk is full; free some space or choose another folder"), last);
    assertEquals(namesIn(join(disk, "dpo")), ["reference_train.json", "reference_validation.json"]);
    await Deno.remove(join(disk, "dpo"), { recursive: true });

    await Deno.writeFile(join(disk, "ballast"), new Uint8Array(16 * 1024)).catch(() => {});
    const output = join(disk, "scores.jsonl"), file = place.at("triplets.jsonl");
    const scored = await runScript("score", typed({ model_path: place.at("model"), file, output }));
    assertEquals([scored.code, scored.stdout], [1, ""], scored.stderr);
    assert(scored.stderr.includes(`Cannot write "${output}": the disk is full`), scored.stderr);
    assertEquals(namesIn(disk), ["ballast"]);
  } finally {
    await new Deno.Command("umount", { args: [disk] }).output();
  }
});

Deno.test({
  name: "train_dpo says before it trains that a folder may not be written",
  ignore: Deno.build.os === "windows" || Deno.uid() === 0, // root may write anywhere
  fn: async () => {
    using place = await tinyWorkplace();
    await Deno.mkdir(place.at("locked"), { mode: 0o555 });
    const flags = { ...dpoFlags(place, "model"), output_dir: join(place.at("locked"), "dpo") };
    const { code, stderr } = await runScript("train_dpo", typed(flags));
    assertEquals(code, 1);
    assert(stderr.includes("the system denies access; check the owner and mode"), stderr);
  },
});
