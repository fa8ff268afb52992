import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assertEquals } from "../../lib/std.ts";
import { packExamples, packPairs } from "../../lib/tokenizer/token_batch.ts";
import { scorePairs } from "../../lib/train/score_pairs.ts";
import { tokenSquares } from "../../lib/train/token_squares.ts";
import { presentBackends } from "../backend/backends.ts";
import { assertClose } from "../close.ts";
import { allLogProbs } from "../parity/tiny_model.ts";
import { randomPairs, shake, tinyModels } from "./tiny_models.ts";

await useBackend({ backend: "cpu" });

Deno.test("tokenSquares() equals the sum over the whole distribution, on every backend", async () => {
  const ids = [1, 5, 6, 20, 3, 2];
  const batch = packExamples([{ index: 0, prompt: ids.slice(0, 1), completion: ids.slice(1) }]);
  for (const backend of await presentBackends()) {
    await useBackend({ backend });
    using models = await tinyModels();
    shake(models, 3);
    const { network, trainable } = models, adapters = trainable.adapters();
    const before = tf.memory().numTensors;
    const squares = await tokenSquares(network, adapters, batch);
    assertEquals(tf.memory().numTensors, before);
    const all = await allLogProbs(network, adapters, ids), V = network.config.vocabSize;
    const wanted = Array.from(squares, (_, t) => {
      const row = Array.from(all.slice(t * V, (t + 1) * V));
      return Math.log(row.reduce((sum, logProb) => sum + Math.exp(2 * logProb), 0));
    });
    assertClose(squares, wanted, { absolute: 2e-5, message: backend });
    const ofReference = await tokenSquares(network, null, batch);
    assertEquals(
      ofReference.some((square, i) => square !== squares[i]),
      true,
      "the policy answers",
    );
  }
  await useBackend({ backend: "cpu" });
});

Deno.test("tokenSquares() is the same in one piece of the head as in several", async () => {
  await useBackend({ backend: "wasm" });
  using models = await tinyModels({ config: { vocabSize: 200_000, hiddenSize: 4 } });
  const pairs = randomPairs(6, 2); // about 40 rows, and 20 are computed at once
  const options = { adapter: false, measure: tokenSquares };
  const together = await scorePairs(models, pairs, { ...options, batchSize: 6 });
  const alone = await scorePairs(models, pairs, { ...options, batchSize: 1 });
  assertClose(together.chosen, alone.chosen, { relative: 1e-5 });
  assertEquals(packPairs(pairs).rows.length > 30, true);
  await useBackend({ backend: "cpu" });
});
