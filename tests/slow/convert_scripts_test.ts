/** merge_lora and quantize as a user runs them, each under its own permission set. */
import { join } from "node:path";
import { assert, assertEquals } from "../../lib/std.ts";
import { buildModels } from "../../lib/train/build_models.ts";
import { saveAdapter } from "../../lib/train/save_model.ts";

const root = new URL("../../", import.meta.url).pathname;
const STAGE_A = "models/sft_specialist/final_model";

async function run(name: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-prompt", `-P=${name}`, `scripts/${name}.ts`, ...args],
    cwd: root,
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

Deno.test("merge_lora and quantize write models from an adapter, and say what they cost", async () => {
  const place = await Deno.makeTempDir({ dir: join(root, "models"), prefix: "test-" });
  try {
    const adapter = join(place, "adapter"), file = join(place, "rows.jsonl");
    using models = await buildModels({ sftModelPath: STAGE_A, rank: 2 });
    models.adapter!.parameters.forEach(({ data }) => data.forEach((_, i) => data[i] += 0.01));
    await saveAdapter(models, adapter);
    const rows = await Deno.readTextFile(join(root, "phase2_data/dpo/val_dpo.jsonl"));
    await Deno.writeTextFile(file, rows.split("\n").slice(0, 4).join("\n"));

    const merge = ["--adapter_path", adapter, "--output_dir", join(place, "merged")];
    const merged = await run("merge_lora", ...merge, "--dtype", "bfloat16");
    assertEquals(merged.code, 0, merged.stderr);
    const saved = `Model saved to ${join(place, "merged")} (1.9 MB)\n`;
    assertEquals(merged.stdout, `Merged 8 layers into ${STAGE_A}\n${saved}`);

    const gguf = (name: string) => ["--output", join(place, `${name}.gguf`)];
    const [plain, compared] = await Promise.all([
      run("quantize", "--model_path", join(place, "merged"), "--bits", "4", ...gguf("4")),
      run(
        "quantize",
        ...["--model_path", adapter, "--type", "q8_0", "--json", "--compare_file", file],
        ...gguf("8"),
      ),
    ]);
    assertEquals(plain.code, 0, plain.stderr);
    assert(plain.stdout.includes("Tensors: 1 Q8_0, 9 F32, 28 Q4_0\n"), plain.stdout);
    const fellBack =
      "1 tensor fell back, for rows don't divide into blocks: token_embd.weight with " +
      "rows of 128 is Q8_0, not Q6_K\n";
    assert(plain.stdout.endsWith(fellBack), plain.stdout);
    assertEquals(compared.code, 0, compared.stderr);
    const { comparison, texts, ...made } = JSON.parse(compared.stdout);
    assertEquals([made.type, made.formats], ["q8_0", { Q8_0: 29, F32: 9 }]);
    assertEquals([comparison.pairs, comparison.hasReference], [4, true]);
    assert(Math.abs(comparison.float.loss - comparison.quantized.loss) < 0.01);
    assert(comparison.meanChange > 0);
    assertEquals([texts.prompts, texts.float.details > 0], [4, true]);
    assertEquals(texts.difference.hallucinationRate.interval.length, 2);
  } finally {
    await Deno.remove(place, { recursive: true });
  }
});

Deno.test("a merged folder and a GGUF file serve wherever a model is named", async () => {
  const place = await Deno.makeTempDir({ dir: join(root, "models"), prefix: "test-" });
  const at = (name: string) => join(place, name), file = at("rows.jsonl");
  const done = async (name: string, ...args: string[]) => {
    const ended = await run(name, ...args);
    assertEquals(ended.code, 0, `${name} ${args.join(" ")}: ${ended.stderr}`);
    return ended.stdout;
  };
  try {
    using models = await buildModels({ sftModelPath: STAGE_A, rank: 2 });
    models.adapter!.parameters.forEach(({ data }) => data.forEach((_, i) => data[i] += 0.01));
    await saveAdapter(models, at("adapter"));
    const rows = (await Deno.readTextFile(join(root, "phase2_data/dpo/val_dpo.jsonl"))).split("\n");
    await Deno.writeTextFile(file, rows.slice(0, 4).join("\n"));
    const { prompt } = JSON.parse(rows[0]);
    await done("merge_lora", "--adapter_path", at("adapter"), "--output_dir", at("merged"));
    const f16 = ["--type", "f16", "--output", at("model.gguf")];
    await done("quantize", "--model_path", at("merged"), ...f16);
    const write = ["--prompt", prompt, "--max_new_tokens", "16"];
    const wanted = await done("generate", "--adapter_path", at("adapter"), ...write);
    assert(wanted.trim().length > 20, wanted);
    for (const name of ["merged", "model.gguf"]) {
      const model = at(name), whole = ["--model_path", model];
      assertEquals(await done("generate", ...whole, ...write), wanted, name);
      const scored = await done("score", ...whole, "--file", file);
      assertEquals(scored.trimEnd().split("\n").length, 4);
      const evaluate = ["--dpo_model_path", model, "--test_file", file, "--max_new_tokens", "16"];
      const out = ["--output_dir", at("evaluated"), "--json"];
      const stageA = ["--sft_model_path", STAGE_A];
      const judged = JSON.parse(await done("evaluate", ...evaluate, ...stageA, ...out));
      assertEquals([judged.preference.pairs, judged.hashes.dpo_model.length], [4, 64]);
      const unnamed = await run("evaluate", ...evaluate);
      assert(unnamed.code === 2 && unnamed.stderr.includes("--sft_model_path"), unnamed.stderr);
      const trained = at(`on-${name}`), train = ["--train_file", file, "--val_file", file];
      const steps = ["--output_dir", trained, "--max_steps", "1"];
      await done("train_dpo", "--sft_model_path", model, ...train, ...steps);
      await done("generate", "--adapter_path", join(trained, "final_model"), ...write);
      const mistaken = await run("score", "--adapter_path", model, "--file", file);
      const said =
        `Cannot load the adapter "${model}": it is a whole model; name it with --model_path`;
      assertEquals([mistaken.code, mistaken.stderr.includes(said)], [1, true], mistaken.stderr);
    }
  } finally {
    await Deno.remove(place, { recursive: true });
  }
});

Deno.test("merge_lora and quantize end bad usage in one sentence", async () => {
  const out = ["--output", "models/x.gguf"], model = ["--model_path", STAGE_A];
  const cases: [name: string, args: string[], says: string, code: 1 | 2][] = [
    [
      "merge_lora",
      ["--adapter_path", "a", "--output_dir", "models/x", "--max_shard_size", "big"],
      '--max_shard_size must be a size such as 500MB or 5GB, found "big"',
      2,
    ],
    [
      "merge_lora",
      ["--adapter_path", STAGE_A, "--output_dir", "models/x"],
      `Cannot merge "${STAGE_A}": wanted a folder with an adapter_config.json and no config.json`,
      1,
    ],
    [
      "quantize",
      [...model, ...out],
      "Cannot tell what to write: wanted one of --type and --bits",
      2,
    ],
    [
      "quantize",
      ["--model_path", "models/no", "--bits", "8", ...out],
      'Cannot open the model at "models/no": there is no such file or folder',
      1,
    ],
  ];
  await Promise.all(cases.map(async ([name, args, says, code]) => {
    const ended = await run(name, ...args);
    assertEquals([ended.code, ended.stdout], [code, ""], `${args}: ${ended.stderr}`);
    assert(
      ended.stderr.startsWith(says) && ended.stderr.trimEnd().split("\n").length === 1,
      ended.stderr,
    );
  }));
});
