import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { useBackend } from "../../lib/backend/use_backend.ts";
import type { LoraAdapter, LoraConfig } from "../../lib/lora/lora_adapter.ts";
import {
  checkAdapter,
  mergedTensors,
  negateAdapter,
  stackAdapters,
} from "../../lib/lora/merge_adapter.ts";
import { disposeAdapters, uploadAdapter } from "../../lib/lora/upload_adapter.ts";
import { blockLinears } from "../../lib/model/block_modules.ts";
import { rowLength, tensorSource } from "../../lib/io/tensor_source.ts";
import type { Network } from "../../lib/model/network.ts";
import type { TensorSource } from "../../lib/types.ts";
import { disposeNetwork } from "../../lib/model/load_network.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { thrownBy } from "../thrown_by.ts";
import { TINY } from "../model/taped_llama.ts";
import { someLogProbs, tinyNetwork, trainedAdapter } from "./tiny_network.ts";

await useBackend({ backend: "cpu" });

/** A network's weights as a checkpoint's. */
async function sourceOf({ weights }: Network): Promise<TensorSource> {
  const values = new Map(
    await Promise.all(
      [...weights].map(async ([name, weight]) =>
        [name, await weight.data() as Float32Array] as const
      ),
    ),
  );
  const entries = new Map(
    [...weights].map(([name, { shape }]) => [name, { shape, dtype: "F32" }]),
  );
  return tensorSource("the tiny network", entries, {
    read: ({ shape }, { name, rows }) => {
      const width = rowLength(shape);
      return values.get(name)!.slice(rows.first * width, rows.end * width);
    },
    close: () => {},
  });
}

/** Merges adapters into a network's weights, one after the other. */
async function merge(network: Network, adapters: LoraAdapter[]): Promise<void> {
  let source = await sourceOf(network);
  for (const adapter of adapters) source = mergedTensors(source, adapter, network.config);
  const weights = network.weights as Map<string, tf.Tensor>;
  for (const [name, weight] of weights) {
    weights.set(name, tf.tensor(await source.read(name), weight.shape));
    weight.dispose();
  }
}

/** Log-probabilities of the tiny model with some adapters merged into it and one laid over it. */
async function logProbsOf(merged: LoraAdapter[], over: LoraAdapter | null) {
  const before = tf.memory().numTensors, network = tinyNetwork();
  await merge(network, merged);
  const adapters = over && uploadAdapter(over);
  const logProbs = await someLogProbs(network, adapters);
  if (adapters) disposeAdapters(adapters);
  disposeNetwork(network);
  assertEquals(tf.memory().numTensors, before, "a tensor is left behind");
  return logProbs;
}

const configs: fc.Arbitrary<LoraConfig> = fc.record({
  rank: fc.integer({ min: 1, max: 5 }),
  alpha: fc.constantFrom(0.5, 4, 16),
  targetModules: fc.subarray(blockLinears(TINY).map(({ name }) => name.split(".")[1]), {
    minLength: 1,
  }),
  rsLora: fc.boolean(),
});
const FEW = { numRuns: 12 };

Deno.test("mergedTensors() gives the model that the adapter made of it", async () => {
  const plain = await logProbsOf([], null);
  await fc.assert(
    fc.asyncProperty(configs, fc.nat(), async (config, seed) => {
      const adapter = trainedAdapter(config, seed), over = await logProbsOf([], adapter);
      assertClose(await logProbsOf([adapter], null), over, { absolute: 2e-4 });
      assert(over.some((logProb, i) => Math.abs(logProb - plain[i]) > 1e-3));
    }),
    FEW,
  );
});

Deno.test("stackAdapters() adds up adapters of other targets, ranks and scales", async () => {
  await fc.assert(
    fc.asyncProperty(configs, configs, fc.nat(), async (one, other, seed) => {
      const [first, second] = [trainedAdapter(one, seed), trainedAdapter(other, seed + 9)];
      const stacked = stackAdapters(first, second);
      assertEquals(stacked.config.rank, one.rank + other.rank);
      assertClose(await logProbsOf([], stacked), await logProbsOf([first], second), {
        absolute: 2e-4,
      });
    }),
    FEW,
  );
});

Deno.test("negateAdapter() takes an adapter out again", async () => {
  const adapter = trainedAdapter({ targetModules: ["all-linear"], rsLora: true }, 5);
  const left = stackAdapters(adapter, negateAdapter(adapter));
  assertClose(await logProbsOf([], left), await logProbsOf([], null), { absolute: 1e-4 });
  assertClose(
    await logProbsOf([adapter, negateAdapter(adapter)], null),
    await logProbsOf([], null),
    {
      absolute: 1e-4,
    },
  );
});

Deno.test("mergedTensors() gives any rows of a tensor as it gives the whole", async () => {
  const network = tinyNetwork(), adapter = trainedAdapter({ rank: 5 }, 3);
  const source = mergedTensors(await sourceOf(network), adapter, network.config);
  const name = "model.layers.0.self_attn.v_proj.weight", [rows, width] = source.shape(name);
  const whole = await source.read(name);
  for (const [first, end] of [[0, 1], [3, rows], [2, 2]]) {
    const part = await source.read(name, undefined, { first, end });
    assertEquals(part, whole.slice(first * width, end * width));
  }
  disposeNetwork(network);
});

Deno.test("mergedTensors() says which matrix an adapter does not fit", async () => {
  const network = tinyNetwork(), adapter = trainedAdapter({}, 1);
  const source = await sourceOf(network);
  const name = "model.layers.1.self_attn.v_proj";
  adapter.parameters.get(`${name}.lora_B.weight`)!.shape = [5, 3];
  const { message } = thrownBy(() => mergedTensors(source, adapter, network.config));
  assertEquals(
    message,
    `Cannot apply the adapter to "${name}.weight": it fits a matrix [5, 12], found [8, 12]`,
  );
  disposeNetwork(network);
});

Deno.test("checkAdapter() says which module the model lacks", () => {
  const network = tinyNetwork({ layers: 1 });
  const { message } = thrownBy(() => checkAdapter(network, trainedAdapter({}, 1)));
  assertEquals(
    message,
    'Cannot apply the adapter to "model.layers.1.self_attn.q_proj.weight": it fits a matrix ' +
      "[16, 12], found none of that name",
  );
  disposeNetwork(network);
});

Deno.test("checkAdapter() refuses an adapter of what is not computed with an update", () => {
  const network = tinyNetwork({ tiedHead: false });
  for (const module of ["lm_head", "model.layers.0.mlp.q_proj", "model.layers.00.mlp.up_proj"]) {
    const adapter = { ...trainedAdapter({}, 1), modules: [module] };
    const { message } = thrownBy(() => checkAdapter(network, adapter));
    assertEquals(
      message,
      `Cannot apply the adapter to "${module}": only self_attn.q_proj, self_attn.k_proj, ` +
        "self_attn.v_proj, self_attn.o_proj, mlp.gate_proj, mlp.up_proj, mlp.down_proj of " +
        "model.layers can be adapted",
    );
  }
  disposeNetwork(network);
});
