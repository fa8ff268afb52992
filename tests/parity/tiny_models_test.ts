/**
 * All families against PyTorch, on every backend that runs here: Llama against float64 numbers of
 * tests/golden/make_tiny_models.py (torch 2.15, held there against transformers 5.23 and PEFT 0.21), the
 * others against the clients' own float32 numbers, of tests/golden/make_families.py.
 */
import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { trainableAdapter } from "../../lib/train/trainable.ts";
import { disposeAdapters, uploadAdapter } from "../../lib/lora/upload_adapter.ts";
import { generateTokens } from "../../lib/model/generate_tokens.ts";
import { disposeNetwork } from "../../lib/model/load_network.ts";
import type { Network } from "../../lib/model/network.ts";
import { tokenGradients } from "../../lib/model/token_gradients.ts";
import { meanMetrics } from "../../lib/loss/preference_metrics.ts";
import { packExamples } from "../../lib/tokenizer/token_batch.ts";
import type { Models } from "../../lib/train/build_models.ts";
import { dpoGradients } from "../../lib/train/dpo_step.ts";
import { preferenceBatch } from "../../lib/train/preference_batch.ts";
import { scorePairs } from "../../lib/train/score_pairs.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import type { HostTensor } from "../../lib/types.ts";
import { presentBackends } from "../backend/backends.ts";
import { assertClose, relativeError } from "../close.ts";
import {
  allLogProbs,
  loadTinyNetwork,
  readTinyAdapter,
  readTinyGolden,
  TINY_ADAPTERS,
  TINY_FAMILIES,
  TINY_MODELS,
} from "./tiny_model.ts";

const LOG_PROBS = { relative: 1e-5, absolute: 1e-5 }, GRADIENTS = 5e-5;
// WebGPU is held to the others by tests/backend; a software adapter would take a minute here.
const BACKENDS = (await presentBackends()).filter((name) => name !== "webgpu");

for (const name of TINY_MODELS) {
  const { golden, tensors } = await readTinyGolden(name);
  const [first] = golden.pairs;

  test(name, "allLogProbs() equals PyTorch's logits under softmax", async (network) => {
    const ids = [...first.prompt, ...first.chosen];
    const wanted = logSoftmax(tensors.get("logits")!);
    assertEquals(wanted.length, ids.length * network.config.vocabSize);
    assertClose(await allLogProbs(network, null, ids), wanted, LOG_PROBS);
  });

  test(name, "generateTokens() takes the tokens that PyTorch takes", async (network) => {
    const [{ tokens }] = await generateTokens(
      network,
      null,
      [{ ids: golden.greedy.prompt, index: 0 }],
      { maxNewTokens: 12, stopIds: [] },
    );
    assertEquals(tokens, golden.greedy.tokens);
  });

  test(name, "tokenGradients() gives PyTorch's SFT gradient of every weight", async (network) => {
    const examples = golden.pairs.map(({ index, prompt, chosen }) => ({
      index,
      prompt,
      completion: chosen,
    }));
    const count = examples.reduce((sum, { completion }) => sum + completion.length, 0);
    const { logProbs, gradients } = await tokenGradients(
      network,
      null,
      packExamples(examples),
      (logProbs) => new Float32Array(logProbs.length).fill(-1 / count),
      { weights: true },
    );
    const loss = -logProbs.reduce((sum, logProb) => sum + logProb, 0) / count;
    assertClose(loss, golden.sftLoss, LOG_PROBS);
    assertEquals(
      Object.keys(gradients).map((key) => `sft.${key}`).sort(),
      [...tensors.keys()].filter((key) => key.startsWith("sft.")).sort(),
    );
    for (const [key, gradient] of Object.entries(gradients)) {
      const error = relativeError(await gradient.data(), tensors.get(`sft.${key}`)!.data);
      assertClose(error, 0, { absolute: GRADIENTS, message: key });
    }
    tf.dispose(gradients);
  });

  for (const adapterName of TINY_ADAPTERS) {
    const wanted = golden[adapterName];

    test(
      name,
      `scorePairs() and dpoGradients() equal PyTorch's: ${adapterName}`,
      async (network) => {
        const adapter = await readTinyAdapter(name, adapterName);
        const models = { network, trainable: trainableAdapter(adapter) } as Models;
        const batch = await preferenceBatch(models, golden.pairs);
        const policy = await scorePairs(models, golden.pairs, { adapter: true, batchSize: 2 });
        for (const side of ["chosen", "rejected"] as const) {
          assertClose(batch.reference[side], golden.logProbs[side], LOG_PROBS);
          assertClose(policy[side], wanted.logProbs[side], LOG_PROBS);
        }
        const { gradients, sums } = await dpoGradients(models, [batch], { beta: golden.beta });
        assertClose(meanMetrics(sums).loss, wanted.loss, LOG_PROBS);
        assert(gradients.length > 0);
        models.trainable.names.forEach((key, i) => {
          const expected = tensors.get(`${adapterName}.${key}`)!.data;
          const error = relativeError(gradients[i], expected);
          assertClose(error, 0, { absolute: GRADIENTS, message: key });
        });
        models.trainable.dispose();
      },
    );

    test(name, `generateTokens() takes PyTorch's tokens: ${adapterName}`, async (network) => {
      const adapters = uploadAdapter(await readTinyAdapter(name, adapterName));
      const [{ tokens }] = await generateTokens(
        network,
        adapters,
        [{ ids: golden.greedy.prompt, index: 0 }],
        { maxNewTokens: 12, stopIds: [] },
      );
      assertEquals(tokens, wanted.greedy);
      disposeAdapters(adapters);
    });
  }
}

/** The logarithm of softmax along the last axis, in float64. */
function logSoftmax({ shape: [rows, width], data }: HostTensor): Float64Array {
  const result = Float64Array.from(data);
  for (let row = 0; row < rows; row++) {
    const scores = result.subarray(row * width, (row + 1) * width);
    const total = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
    scores.forEach((score, i) => scores[i] = score - total);
  }
  return result;
}

/** One test of a golden model on all backends; the weights are loaded for it, and nothing may leak. */
function test(model: string, claim: string, check: (network: Network) => Promise<void>): void {
  Deno.test(`${claim} (${model})`, async () => {
    // What families add is plain arithmetic of layers that are tested on every backend.
    const isFamily = TINY_FAMILIES.includes(model);
    for (const backend of BACKENDS.filter((name) => !isFamily || name !== "wasm")) {
      await useBackend({ backend });
      const before = tf.memory().numTensors;
      const network = await loadTinyNetwork(model);
      await check(network);
      disposeNetwork(network);
      assertEquals(tf.memory().numTensors, before, `${backend}: a tensor is left behind`);
    }
  });
}
