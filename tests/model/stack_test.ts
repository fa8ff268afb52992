import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { initLora } from "../../lib/lora/lora_adapter.ts";
import { uploadAdapter } from "../../lib/lora/upload_adapter.ts";
import type { ModelConfig } from "../../lib/model/model_config.ts";
import { tokenGradients } from "../../lib/model/token_gradients.ts";
import { tokenLogProbs } from "../../lib/model/token_log_probs.ts";
import { createRandom } from "../../lib/random.ts";
import { assertEquals } from "../../lib/std.ts";
import { packPairs } from "../../lib/tokenizer/token_batch.ts";
import { spreadSlopes, sumResponses } from "../../lib/train/pair_sums.ts";
import { assertClose, relativeError } from "../close.ts";
import { randomWeights, tapedLogProb, TINY } from "./taped_llama.ts";

const PAIRS = [
  { index: 0, prompt: [1, 5, 6, 7], chosen: [8, 9, 10, 2], rejected: [8, 9, 11, 12, 2] },
  { index: 1, prompt: [1, 20, 3, 4, 15, 16, 17], chosen: [4, 2], rejected: [3, 3, 3, 2] },
  { index: 2, prompt: [1], chosen: [13, 14, 2], rejected: [13, 14, 14, 14, 14, 2] },
];
/** The loss whose gradient is compared: a fixed mix of the responses' log-probabilities. */
const CHOSEN_SLOPES = [0.5, -0.2, 1.1], REJECTED_SLOPES = [-0.7, 0.4, 0.3];
const SLOPES = {
  gradChosen: Float64Array.from(CHOSEN_SLOPES),
  gradRejected: Float64Array.from(REJECTED_SLOPES),
  gradChosenTail: new Float64Array(3),
  gradRejectedTail: new Float64Array(3),
};

const CONFIGS: Record<string, Partial<ModelConfig>> = {
  "GQA, biases and a tied head": {},
  "no biases and a free head": { attentionBias: false, mlpBias: false, tiedHead: false },
  "heads wider than the model": { headDim: 6, keyValueHeads: 4 },
};

function tinyModel(change: Partial<ModelConfig>) {
  const config = { ...TINY, ...change };
  const network = { config, weights: randomWeights(config, 7), precision: "float32" as const };
  const lora = { rank: 3, alpha: 6, targetModules: ["all-linear"], rsLora: false };
  const adapter = initLora(config, lora, { seed: 3 }), random = createRandom(11);
  for (const { data } of adapter.parameters.values()) {
    data.forEach((_, i) => data[i] = 0.2 * random.normal());
  }
  return { config, network, adapters: uploadAdapter(adapter) };
}

for (const [name, change] of Object.entries(CONFIGS)) {
  Deno.test(`tokenLogProbs() equals an unshared forward pass: ${name}`, async () => {
    await useBackend({ backend: "cpu" });
    const { config, network, adapters } = tinyModel(change);
    const batch = packPairs(PAIRS);
    for (const used of [adapters, null]) {
      const sums = sumResponses(batch, await tokenLogProbs(network, used, batch));
      PAIRS.forEach(({ prompt, chosen, rejected }, i) => {
        const wanted = [chosen, rejected].map((response) =>
          tapedLogProb(config, network.weights, used, prompt, response).dataSync()[0]
        );
        assertClose([sums.chosen[i], sums.rejected[i]], wanted, { relative: 1e-5 });
      });
    }
  });

  Deno.test(`tokenGradients() equals the tape's gradient: ${name}`, async () => {
    await useBackend({ backend: "cpu" });
    const { config, network, adapters } = tinyModel(change);
    const batch = packPairs(PAIRS), before = tf.memory().numTensors;
    for (const checkpointing of [false, true]) {
      const { gradients } = await tokenGradients(
        network,
        adapters,
        batch,
        () => spreadSlopes(batch, SLOPES),
        { weights: true, checkpointing },
      );
      const wanted = tapedGradients(config, network.weights, adapters);
      assertEquals(Object.keys(gradients).sort(), [...wanted.keys()].sort());
      for (const [parameter, data] of wanted) {
        const error = relativeError(gradients[parameter].dataSync(), data);
        assertClose(error, 0, { absolute: 2e-5, message: parameter });
      }
      tf.dispose(gradients);
      assertEquals(tf.memory().numTensors, before, "a pass leaves no tensor behind");
    }
  });
}

function tapedGradients(
  config: ModelConfig,
  weights: ReadonlyMap<string, tf.Tensor>,
  adapters: ReturnType<typeof tinyModel>["adapters"],
): Map<string, Float32Array> {
  const names = [...weights.keys()], modules = [...adapters.keys()];
  const inputs = [
    ...weights.values(),
    ...modules.flatMap((module) => [adapters.get(module)!.a, adapters.get(module)!.b]),
  ];
  const parameters = [
    ...names,
    ...modules.flatMap((module) => [`${module}.lora_A.weight`, `${module}.lora_B.weight`]),
  ];
  const loss = (...given: tf.Tensor[]) => {
    const taped = new Map(names.map((name, i) => [name, given[i]]));
    const lows = new Map(modules.map((module, i) => {
      const [a, b] = given.slice(names.length + 2 * i) as tf.Tensor2D[];
      return [module, { a, b, scale: adapters.get(module)!.scale }];
    }));
    const terms = PAIRS.flatMap(({ prompt, chosen, rejected }, i) => [
      tf.mul(tapedLogProb(config, taped, lows, prompt, chosen), CHOSEN_SLOPES[i]),
      tf.mul(tapedLogProb(config, taped, lows, prompt, rejected), REJECTED_SLOPES[i]),
    ]);
    return tf.addN(terms) as tf.Scalar;
  };
  const grads = tf.grads(loss)(inputs);
  const wanted = new Map(grads.map((g, i) => [parameters[i], g.dataSync<"float32">().slice()]));
  tf.dispose(grads);
  return wanted;
}
