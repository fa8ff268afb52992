import * as tf from "@tensorflow/tfjs";
import { join } from "node:path";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { encodePairs } from "../../lib/tokenizer/encode_all.ts";
import { buildModels, type Models } from "../../lib/train/build_models.ts";
import { loadModels } from "../../lib/train/load_models.ts";
import { saveAdapter } from "../../lib/train/save_model.ts";
import { scorePairs } from "../../lib/train/score_pairs.ts";
import { assertClose } from "../close.ts";
import { userError } from "../io/damage.ts";
import { letterTokenizer, TRIPLETS, writeJson, writeTinyFolder } from "./tiny_folder.ts";
import { shake } from "./tiny_models.ts";

await useBackend({ backend: "cpu" });

const ROOT = await Deno.makeTempDir();
addEventListener("unload", () => Deno.removeSync(ROOT, { recursive: true }));
const BASE = await writeTinyFolder(join(ROOT, "base"));
const STAGE_A = join(ROOT, "stage_a"), FINAL = join(ROOT, "final"), MOVED = join(ROOT, "moved");

/** Log-probabilities of policy or reference, chosen ones first. */
async function score(models: Models, adapter: boolean): Promise<number[]> {
  const { rows } = encodePairs(models.tokenizer, TRIPLETS);
  const { chosen, rejected } = await scorePairs(models, rows, { adapter, batchSize: 2 });
  return [...chosen, ...rejected];
}

async function stageA(): Promise<{ policy: number[]; reference: number[] }> {
  using models = await buildModels({ sftModelPath: BASE, rank: 3, alpha: 5, rsLora: true });
  shake(models, 1);
  await saveAdapter(models, STAGE_A);
  return { policy: await score(models, true), reference: await score(models, false) };
}

/** A policy over Stage A's adapter, saved with what it was trained against. */
async function dpo(): Promise<number[]> {
  const options = { rank: 2, targetModules: ["o_proj", "q_proj"] };
  using models = await buildModels({ sftModelPath: STAGE_A, ...options });
  shake(models, 2);
  const { path, hash } = models.source;
  const config = {
    beta: 0.1,
    loss_type: ["sigmoid"],
    loss_weights: [1],
    label_smoothing: 0,
    learning_rate: 1e-5,
    reference: { path, sha256: hash },
    data_sha256: "",
  };
  await saveAdapter(models, FINAL, { "dpo_config.json": config });
  const moved = { ...config, reference: { path: join(ROOT, "gone"), sha256: hash } };
  await saveAdapter(models, MOVED, { "dpo_config.json": moved });
  return await score(models, true);
}

const SFT = await stageA(), POLICY = await dpo();
const near = { absolute: 1e-4 };

Deno.test("buildModels() starts with a policy that is the reference, to the last bit", async () => {
  const before = tf.memory().numTensors;
  {
    using models = await buildModels({ sftModelPath: BASE });
    assertEquals(await score(models, true), await score(models, false));
  }
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("buildModels() takes a Stage A adapter under the reference", async () => {
  using models = await buildModels({ sftModelPath: STAGE_A });
  const reference = await score(models, false);
  assertClose(reference, SFT.policy, near);
  assert(reference.some((logProb, i) => Math.abs(logProb - SFT.reference[i]) > 0.1));
  assertEquals(await score(models, true), reference);
  assertEquals([models.source.path, models.source.basePath], [STAGE_A, BASE]);
});

Deno.test("loadModels() gives a policy saved over Stage A's adapter on the plain base", async () => {
  using models = await loadModels({ modelPath: BASE, adapterPath: FINAL });
  assertClose(await score(models, true), POLICY, near);
  assertClose(await score(models, false), SFT.reference, near);
});

Deno.test("loadModels() gives the same policy with Stage A as the reference, and does not add it twice", async () => {
  using models = await loadModels({ modelPath: STAGE_A, adapterPath: FINAL });
  assertClose(await score(models, true), POLICY, near);
  assertClose(await score(models, false), SFT.policy, near);
});

Deno.test("loadModels() finds the reference by dpo_config.json, else the base by adapter_config.json", async () => {
  for (const [adapterPath, wanted] of [[FINAL, SFT.policy], [MOVED, SFT.reference]] as const) {
    using models = await loadModels({ adapterPath });
    assertClose(await score(models, true), POLICY, near);
    assertClose(await score(models, false), wanted, near);
  }
});

Deno.test("loadModels() without an adapter gives a policy that is the reference", async () => {
  using models = await loadModels({ modelPath: STAGE_A });
  assertEquals(await score(models, true), await score(models, false));
  assertClose(await score(models, false), SFT.policy, near);
});

Deno.test("saveAdapter() over a loaded policy writes it again", async () => {
  const again = join(ROOT, "again");
  {
    using models = await loadModels({ adapterPath: FINAL });
    await saveAdapter(models, again);
  }
  using models = await loadModels({ modelPath: BASE, adapterPath: again });
  assertClose(await score(models, true), POLICY, near);
});

Deno.test("saveAdapter() of all weights writes a model that loads to the same numbers", async () => {
  const folder = join(ROOT, "whole");
  let wanted: number[];
  {
    using models = await buildModels({ sftModelPath: STAGE_A, allWeights: true });
    shake(models, 3, 0.05);
    wanted = await score(models, true);
    await saveAdapter(models, folder);
  }
  using models = await loadModels({ modelPath: folder });
  assertEquals(await score(models, true), wanted);
});

Deno.test("loadModels() and buildModels() say what is wrong, and free what they loaded", async () => {
  const alone = join(ROOT, "alone"), changed = join(ROOT, "changed"), small = join(ROOT, "small");
  await copyFolder(FINAL, alone);
  const config = JSON.parse(await Deno.readTextFile(join(alone, "adapter_config.json")));
  await writeJson(join(alone, "adapter_config.json"), {
    ...config,
    base_model_name_or_path: "someone/else",
  });
  await Deno.remove(join(alone, "dpo_config.json"));
  await copyFolder(FINAL, changed);
  const dpoConfig = JSON.parse(await Deno.readTextFile(join(changed, "dpo_config.json")));
  dpoConfig.reference.sha256 = "0".repeat(64);
  await writeJson(join(changed, "dpo_config.json"), dpoConfig);
  await writeTinyFolder(small);
  const tokenizer = letterTokenizer() as { model: { vocab: Record<string, number> } };
  tokenizer.model.vocab["é"] = 99;
  await writeJson(join(small, "tokenizer.json"), tokenizer);

  const cases: [() => Promise<Models>, string][] = [
    [
      () => loadModels({}),
      "Cannot load a model: wanted a model path (--model_path) or an adapter path " +
      "(--adapter_path), found neither",
    ],
    [
      () => loadModels({ adapterPath: alone }),
      `Cannot load the adapter "${alone}": its adapter_config.json names the base model ` +
      `"someone/else", and no such folder is here; name it with --model_path`,
    ],
    [
      () => buildModels({ sftModelPath: alone }),
      `Cannot load the adapter "${alone}": its adapter_config.json names the base model ` +
      `"someone/else", and no such folder is here; fetch that model, or name its folder there`,
    ],
    [
      () => loadModels({ adapterPath: changed }),
      `Cannot load the adapter "${changed}": the model "${STAGE_A}" has changed since the ` +
      "adapter was trained over it; name the model to use with --model_path",
    ],
    [
      () => buildModels({ sftModelPath: small }),
      `Cannot use the tokenizer of "${small}": it knows 100 tokens, the model's embedding 64`,
    ],
    [
      () => buildModels({ sftModelPath: BASE, targetModules: ["query"] }),
      'Cannot make an adapter: target modules must be "all-linear" or some of q_proj, k_proj, ' +
      'v_proj, o_proj, gate_proj, up_proj, down_proj, found "query"',
    ],
  ];
  for (const [load, wanted] of cases) {
    const before = tf.memory().numTensors;
    assertEquals((await userError(load())).message, wanted);
    assertEquals(tf.memory().numTensors, before, wanted);
  }
});

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) {
    await Deno.copyFile(join(from, name), join(to, name));
  }
}

Deno.test("loadModels() gives back a GPT-2 adapter over a Stage A adapter; the config says fan_in_fan_out", async () => {
  const base = await writeTinyFolder(join(ROOT, "gpt2"), "gpt2");
  const [stageA, final] = [join(ROOT, "gpt2_a"), join(ROOT, "gpt2_final")];
  const train = async (sftModelPath: string, folder: string, targetModules?: string[]) => {
    using models = await buildModels({ sftModelPath, rank: 2, targetModules });
    shake(models, 3);
    await saveAdapter(models, folder);
    return await score(models, true);
  };
  const plain = await train(base, stageA);
  const wanted = await train(stageA, final, ["attn.c_proj", "c_fc"]);
  assert(plain.some((logProb, i) => Math.abs(logProb - wanted[i]) > 1e-3));
  const config = JSON.parse(await Deno.readTextFile(join(final, "adapter_config.json")));
  assertEquals(config.target_modules, ["c_attn", "attn.c_proj", "c_fc"]);
  assertEquals(config.fan_in_fan_out, true);
  using models = await loadModels({ modelPath: base, adapterPath: final });
  assertClose(await score(models, true), wanted, near);
});
