import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { tokenRatios } from "../../lib/evaluate/token_ratios.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { scorePairs } from "../../lib/train/score_pairs.ts";
import { assertClose } from "../close.ts";
import { randomPairs, shake, tinyModels } from "../train/tiny_models.ts";

await useBackend({ backend: "cpu" });

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

Deno.test("tokenRatios() takes apart the sums that scorePairs() gives, in the answers' order", async () => {
  using models = await tinyModels();
  shake(models, 3);
  const pairs = randomPairs(7, 11), tensors = tf.memory().numTensors;
  const found = await tokenRatios(models, pairs, { batchSize: 3 });
  assertEquals(tf.memory().numTensors, tensors);
  for (const adapter of [true, false]) {
    const sums = await scorePairs(models, pairs, { adapter, batchSize: 3 });
    const model = adapter ? "policy" : "reference";
    for (const side of ["chosen", "rejected"] as const) {
      assertEquals(
        found.map((pair) => pair[side][model].length),
        pairs.map((pair) => pair[side].length),
      );
      assertClose(found.map((pair) => sum(pair[side][model])), sums[side], { absolute: 1e-5 });
    }
  }
  const one = await tokenRatios(models, pairs, { batchSize: 1 });
  one.forEach((pair, i) => {
    assertClose(pair.chosen.policy, found[i].chosen.policy, { absolute: 1e-5 });
    assertClose(pair.rejected.reference, found[i].rejected.reference, { absolute: 1e-5 });
  });
});

Deno.test("tokenRatios() finds tokens of the common beginning equal on both sides", async () => {
  using models = await tinyModels();
  shake(models, 4);
  const pairs = randomPairs(5, 12);
  for (const { chosen, rejected, shared } of await tokenRatios(models, pairs)) {
    assertEquals(chosen.policy.slice(0, shared), rejected.policy.slice(0, shared));
    assertEquals(chosen.reference.slice(0, shared), rejected.reference.slice(0, shared));
  }
  const asked = new AbortController();
  asked.abort();
  const stopped = await tokenRatios(models, pairs, { signal: asked.signal }).catch((error) =>
    error
  );
  assert(stopped instanceof DOMException);
});
