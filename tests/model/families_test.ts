/** What each family's tiny model of tests/golden/tiny must do beside giving PyTorch's numbers. */
import * as tf from "@tensorflow/tfjs";
import { join } from "node:path";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { UserError } from "../../lib/errors.ts";
import { countParameters } from "../../lib/estimate/run_memory.ts";
import { openSafetensors } from "../../lib/io/safetensors.ts";
import { writeSafetensors } from "../../lib/io/write_safetensors.ts";
import { initLora, resolveTargetModules } from "../../lib/lora/lora_adapter.ts";
import { adapterToPeft } from "../../lib/lora/peft_format.ts";
import { mergedTensors } from "../../lib/lora/merge_adapter.ts";
import { disposeAdapters, uploadAdapter } from "../../lib/lora/upload_adapter.ts";
import { familyTensors } from "../../lib/model/family_tensors.ts";
import { FAMILIES } from "../../lib/model/families.ts";
import { generateTokens } from "../../lib/model/generate_tokens.ts";
import { initWeights } from "../../lib/model/init_weights.ts";
import { disposeNetwork, inPrecision, loadNetwork } from "../../lib/model/load_network.ts";
import type { Network } from "../../lib/model/network.ts";
import { openCheckpoint } from "../../lib/model/open_checkpoint.ts";
import { parseModelConfig } from "../../lib/model/parse_model_config.ts";
import { tokenGradients } from "../../lib/model/token_gradients.ts";
import { tokenLogProbs } from "../../lib/model/token_log_probs.ts";
import { createRandom } from "../../lib/random.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { packExamples, packPairs } from "../../lib/tokenizer/token_batch.ts";
import { trainDpo } from "../../lib/train/train_dpo.ts";
import { trainSft } from "../../lib/train/train_sft.ts";
import { generate } from "../../lib/evaluate/generate.ts";
import { buildModels } from "../../lib/train/build_models.ts";
import { presentBackends } from "../backend/backends.ts";
import { assertClose, relativeError } from "../close.ts";
import { writeTinyFolder } from "../train/tiny_folder.ts";
import {
  allLogProbs,
  loadTinyNetwork,
  readTinyAdapter,
  readTinyGolden,
  TINY_FAMILIES,
  tinyFolder,
} from "../parity/tiny_model.ts";
import { thrownBy } from "../thrown_by.ts";

const BACKENDS = (await presentBackends()).filter((name) => name !== "webgpu");
const [BACKEND] = BACKENDS;

async function withNetwork(name: string, use: (network: Network) => Promise<void>): Promise<void> {
  await useBackend({ backend: BACKEND });
  const before = tf.memory().numTensors, network = await loadTinyNetwork(name);
  await use(network);
  disposeNetwork(network);
  assertEquals(tf.memory().numTensors, before, `${name} leaves a tensor behind`);
}

for (const name of TINY_FAMILIES) {
  Deno.test(`generateTokens() writes a batch as passes without cache do (${name})`, async () => {
    const prompts = [[1, 5, 6, 7, 8, 9], [1], [1, 20, 30, 40]].map((ids, index) => ({
      ids,
      index,
    }));
    const hasWindows = ["mistral", "gemma3"].includes(name); // the rest is the same everywhere
    for (const backend of hasWindows ? BACKENDS : [BACKEND]) {
      await useBackend({ backend });
      const network = await loadTinyNetwork(name);
      const { vocabSize } = network.config;
      const maxNewTokens = 40; // past and recent keys merge after 32
      const written = await generateTokens(network, null, prompts, { maxNewTokens, stopIds: [] });
      for (const [i, { ids }] of prompts.entries()) {
        const { tokens } = written[i];
        assertEquals(tokens.length, maxNewTokens);
        const logProbs = await allLogProbs(network, null, [...ids, ...tokens.slice(0, -1)]);
        tokens.forEach((token, step) => {
          const row = logProbs.subarray((ids.length - 1 + step) * vocabSize).subarray(0, vocabSize);
          const lead = Math.max(...row) - row[token]; // two may be as good as equal
          assert(lead < 1e-4, `${backend}, prompt ${i}, step ${step}: ${lead} behind`);
        });
      }
      disposeNetwork(network);
    }
  });

  Deno.test(`mergedTensors() gives what the adapter over the weights gives (${name})`, async () => {
    const { golden: { pairs } } = await readTinyGolden(name), batch = packPairs(pairs);
    await withNetwork(name, async (network) => {
      const adapter = await readTinyAdapter(name, "adapter_all"), adapters = uploadAdapter(adapter);
      const plain = await tokenLogProbs(network, null, batch);
      const over = await tokenLogProbs(network, adapters, batch);
      const { tensors, ...checkpoint } = await openCheckpoint(tinyFolder(name));
      const source = mergedTensors(familyTensors(tensors, network.config), adapter, network.config);
      const summed = await loadNetwork({ ...checkpoint, tensors: source });
      const merged = await tokenLogProbs(summed, null, batch);
      disposeNetwork(summed);
      tensors.close();
      assertClose(merged, over, { absolute: 1e-4 });
      assert(Math.max(...merged.map((x, i) => Math.abs(x - plain[i]))) > 0.1);
      disposeAdapters(adapters);
    });
  });

  Deno.test(`tokenGradients() gives the same of layers that are computed twice (${name})`, async () => {
    const { golden: { pairs } } = await readTinyGolden(name), batch = packPairs(pairs);
    await withNetwork(name, async (network) => {
      const slope = (logProbs: Float32Array) => logProbs.map((_, i) => Math.sin(i));
      const adapters = uploadAdapter(await readTinyAdapter(name, "adapter_qv"));
      const pass = (checkpointing: boolean, weights: boolean) =>
        tokenGradients(network, adapters, batch, slope, { weights, checkpointing });
      const once = await pass(false, true), twice = await pass(true, true);
      const alone = await pass(false, false); // the first layer's inputs need no gradient then
      assertEquals(Object.keys(twice.gradients), Object.keys(once.gradients));
      assertEquals(Object.keys(alone.gradients).length, 2 * adapters.size);
      for (const other of [twice, alone]) {
        for (const [key, gradient] of Object.entries(other.gradients)) {
          const wanted = await once.gradients[key].data();
          const error = relativeError(await gradient.data(), wanted);
          assertClose(error, 0, { absolute: 1e-6, message: key });
        }
        tf.dispose(other.gradients);
      }
      tf.dispose(once.gradients);
      disposeAdapters(adapters);
    });
  });

  Deno.test(`countParameters() counts a checkpoint's numbers, and initWeights() makes them (${name})`, async () => {
    await withNetwork(name, (network) => {
      const { config } = network, shapes = initWeights(config, createRandom(1));
      assertEquals([...shapes.keys()], [...network.weights.keys()]);
      for (const [key, { shape }] of shapes) assertEquals(shape, network.weights.get(key)!.shape);
      const size = [...network.weights.values()].reduce((sum, weight) => sum + weight.size, 0);
      const targetModules = ["all-linear"], lora = { rank: 3, alpha: 3, rsLora: false };
      const { parameters } = initLora(config, { ...lora, targetModules }, { seed: 1 });
      const trained = [...parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
      assertEquals(countParameters(config, { rank: 3, targetModules }), { frozen: size, trained });
      return Promise.resolve();
    });
  });
}

Deno.test("inPrecision() rounds every family's matrices, and exact passes see what rests alone", async () => {
  if (BACKEND !== "tensorflow") return;
  for (const name of TINY_FAMILIES) {
    await withNetwork(name, async (network) => {
      const { golden: { pairs } } = await readTinyGolden(name), batch = packPairs(pairs);
      const plain = await tokenLogProbs(network, null, batch);
      const errorOf = async (own: Network, exact: boolean) =>
        relativeError(await tokenLogProbs(own, null, batch, { exact }), plain);
      const mixed = inPrecision(network, "bf32");
      assertEquals(await errorOf(mixed, true), 0);
      const errors = [await errorOf(mixed, false)];
      const half = inPrecision(network, "bfloat16");
      for (const exact of [true, false]) errors.push(await errorOf(half, exact));
      assert(errors.every((error) => error > 1e-5 && error < 0.05), `${name}: ${errors}`);
      network.weights = half.weights;
    });
  }
});

Deno.test("texts longer than the learned positions are refused, before a run begins", async () => {
  const folder = await Deno.makeTempDir(), outputDir = join(folder, "out");
  const sftModelPath = await writeTinyFolder(join(folder, "base"), "gpt2");
  using models = await buildModels({ sftModelPath, backend: BACKEND, rank: 2 });
  const says = async (run: () => Promise<unknown>) => {
    const error = await run().catch((error) => error);
    assert(error instanceof UserError, `${error}`);
    assertEquals(
      error.message,
      "Cannot read a text of 65 tokens: the model has learned 64 positions",
    );
  };
  const row = (length: number) => ({
    index: 0,
    prompt: [1, ...Array(length - 3).fill(5)],
    ...{ completion: [6, 2], chosen: [6, 2], rejected: [7, 2] },
  });
  const before = tf.memory().numTensors;
  await says(() => tokenLogProbs(models.network, null, packExamples([row(66)])));
  await says(() => trainSft(models, [row(65), row(66)], { outputDir }).next());
  await says(() => trainDpo(models, [row(65), row(66)], { outputDir }).next());
  await says(() => generate(models, ["fever"], { maxNewTokens: 61 }));
  assertEquals(tf.memory().numTensors, before);
  await tokenLogProbs(models.network, null, packExamples([row(65)]));
  const [{ tokens }] = await generate(models, ["fever"], { maxNewTokens: 60 });
  assert(tokens > 0);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("loadNetwork() finds weights that were saved without the head's prefix", async () => {
  await useBackend({ backend: "cpu" });
  for (const [name, prefix] of [["gpt2", "transformer."], ["qwen2_window", "model."]]) {
    const folder = await Deno.makeTempDir(), source = tinyFolder(name);
    const tensors = await openSafetensors(join(source, "model.safetensors"));
    await writeSafetensors(
      join(folder, "model.safetensors"),
      await Promise.all(
        tensors.names().map(async (key) => {
          assert(key.startsWith(prefix));
          const values = { shape: tensors.shape(key), data: await tensors.read(key) };
          return [key.slice(prefix.length), values] as const;
        }),
      ),
    );
    await Deno.copyFile(join(source, "config.json"), join(folder, "config.json"));
    const checkpoint = await openCheckpoint(folder);
    const named = familyTensors(checkpoint.tensors, parseModelConfig(checkpoint.config, folder));
    assertEquals(named.names(), tensors.names());
    const [bare, whole] = [await loadNetwork(checkpoint), await loadTinyNetwork(name)];
    for (const [key, weight] of whole.weights) {
      assertEquals(bare.weights.get(key)!.dataSync(), weight.dataSync());
    }
    [tensors, checkpoint.tensors].forEach((opened) => opened.close());
    [bare, whole].forEach(disposeNetwork);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("buildModels() adapts the text part of a model that sees, and refuses to train all of it", async () => {
  const folder = await Deno.makeTempDir();
  const sftModelPath = await writeTinyFolder(folder, "gemma3_seeing"), backend = "cpu";
  const error = await buildModels({ sftModelPath, backend, allWeights: true }).catch((e) => e);
  assert(error instanceof UserError);
  const reason = "a gemma3 model holds more than its text part, and would be saved without it";
  assertEquals(
    error.message,
    `Cannot train all weights of "${folder}": ${reason}; train an adapter`,
  );
  using models = await buildModels({ sftModelPath, backend, rank: 2 });
  const { config, tensors } = adapterToPeft(models.adapter!, folder, models.network.config);
  const [q, v] = ["q", "v"].map((name) => `model.language_model.layers.1.self_attn.${name}_proj`);
  assertEquals(config.target_modules.slice(2), [q, v]); // the eyes have a q_proj too
  assert(tensors.has(`base_model.model.${q}.lora_A.weight`));
  await Deno.remove(folder, { recursive: true });
});

async function configOf(name: string): Promise<Record<string, unknown>> {
  return JSON.parse(await Deno.readTextFile(join(tinyFolder(name), "config.json")));
}

Deno.test("resolveTargetModules() tells GPT-2's two c_proj apart where that is meant", async () => {
  const config = parseModelConfig(await configOf("gpt2"), "here");
  const cases = [
    [["all-linear"], ["c_attn", "c_proj", "c_fc"]],
    [["c_proj"], ["c_proj"]],
    [["mlp.c_proj", "c_attn"], ["c_attn", "mlp.c_proj"]],
    [["attn.c_proj", "mlp.c_proj"], ["c_proj"]],
  ];
  for (const [names, wanted] of cases) assertEquals(resolveTargetModules(config, names), wanted);
  const { message } = thrownBy(() => resolveTargetModules(config, ["q_proj"]));
  assert(message.endsWith('some of c_attn, c_proj, c_fc, found "q_proj"'), message);
});

Deno.test("parseModelConfig() reads older spellings of Gemma 3's layers and angles", async () => {
  const { rope_parameters: _, layer_types: _types, ...rest } = await configOf("gemma3");
  const older = {
    ...rest,
    num_hidden_layers: 7,
    sliding_window_pattern: 3,
    rope_theta: 5e5,
    rope_local_base_freq: 2e4,
    rope_scaling: { rope_type: "linear", factor: 8 },
  };
  const { ropeTheta, ropeScaling, windows } = parseModelConfig(older, "here");
  assertEquals([ropeTheta, ropeScaling], [5e5, { type: "linear", factor: 8 }]);
  const layers = [true, true, false, true, true, false, true];
  assertEquals(windows, { size: 4, layers, ropeTheta: 2e4 });
});

Deno.test("parseModelConfig() names what a family can't be, and which families there are", async () => {
  const says = (name: string, change: Record<string, unknown>) =>
    thrownBy(() => parseModelConfig({ ...configs[name], ...change }, "here")).message;
  const configs = Object.fromEntries(
    await Promise.all(TINY_FAMILIES.map(async (name) => [name, await configOf(name)])),
  );
  const names = FAMILIES.map(({ name }) => name).join(", ");
  assertEquals(names, "llama, qwen2, qwen3, mistral, gpt2, gemma3_text, gemma3");
  for (const model_type of ["gemma2", "qwen3_moe", "mixtral"]) {
    assertEquals(
      says("qwen3", { model_type }),
      `Cannot use the model at "here": model_type must be one of ${names}, found "${model_type}"`,
    );
  }
  const cases: [name: string, change: Record<string, unknown>, says: RegExp][] = [
    [
      "gemma3",
      { attn_logit_softcapping: 50 },
      /"attn_logit_softcapping": .*expected null, found 50$/,
    ],
    ["gemma3", { final_logit_softcapping: 30 }, /"final_logit_softcapping": .*, found 30$/],
    [
      "gemma3",
      { use_bidirectional_attention: true },
      /"use_bidirectional_attention": .*, found true$/,
    ],
    ["gemma3_seeing", { text_config: null }, /"text_config": .*, found null$/],
    [
      "gemma3",
      { hidden_activation: "gelu" },
      /"hidden_activation": .*"gelu_pytorch_tanh", found "gelu"$/,
    ],
    [
      "gemma3",
      { sliding_window: undefined, layer_types: ["chunked"] },
      /"layer_types.0": .*found "chunked"$/,
    ],
    [
      "gpt2",
      { activation_function: "relu" },
      /"activation_function": .*"gelu_new".*, found "relu"$/,
    ],
    [
      "gpt2",
      { scale_attn_by_inverse_layer_idx: true },
      /"scale_attn_by_inverse_layer_idx": .*found true$/,
    ],
    ["gpt2", { add_cross_attention: true }, /"add_cross_attention": /],
    ["gpt2", { n_head: 3 }, /a head's size even, found 3, 3 and 2.6/],
    ["mistral", { hidden_act: "gelu" }, /"hidden_act": .*"silu", found "gelu"$/],
    ["llama3_rope", { hidden_size: undefined }, /"hidden_size": .*, found nothing$/],
    ...["gemma3", "qwen2_window", "qwen3"].map((name): typeof cases[number] => [
      name,
      { layer_types: ["full_attention"] },
      /layer_types must be a list of \d+ entries, one a layer, found 1$/,
    ]),
    [
      "mistral",
      { num_local_experts: 8 },
      /num_local_experts must be no mixture of experts, found 8/,
    ],
    ["qwen2", { quantization_config: { bits: 4 } }, /quantization_config must be .*not quantised/],
    [
      "qwen3",
      { rope_parameters: { rope_type: "dynamic" } },
      /rope_type must be one of .*"dynamic"/,
    ],
  ];
  for (const [name, change, wanted] of cases) {
    const message = says(name, change);
    assert(wanted.test(message) && message.includes('"here"'), message);
  }
});
