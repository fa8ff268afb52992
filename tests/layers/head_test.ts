import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import {
  headBackward,
  headForward,
  headRowsAtOnce,
  headWeightGradient,
} from "../../lib/layers/head.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { checkLayer, randomTensor, upload } from "./check_layer.ts";

const TARGETS = [0, 4, 4, 2];

function plainLogProbs(h: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  const logits = tf.matMul(h, weight, false, true);
  const logProbs = tf.sub(logits, tf.logSumExp(logits, 1, true));
  return tf.sum(tf.mul(logProbs, tf.oneHot(TARGETS, weight.shape[0])), 1);
}

Deno.test("headBackward() and headWeightGradient() equal the tape's gradient", async () => {
  await checkLayer({
    inputs: [randomTensor([4, 3], 1), randomTensor([7, 3], 2)],
    plain: plainLogProbs,
    layer(...given) {
      const [h, weight] = given as tf.Tensor2D[], targets = tf.tensor1d(TARGETS, "int32");
      const { logProbs, unit } = headForward(h, weight, targets, { unit: true });
      return {
        y: logProbs,
        backward(dy) {
          const dLogProbs = dy as tf.Tensor1D;
          return [
            headBackward(dLogProbs, unit!),
            headWeightGradient(dLogProbs, h, weight, targets),
          ];
        },
      };
    },
  });
});

Deno.test("headForward() and headWeightGradient() treat a vocabulary in pieces of rows", async () => {
  await useBackend({ backend: "auto" });
  const vocabSize = 2 ** 18 + 1, count = 70, c = 3, known = 5;
  assert(headRowsAtOnce(vocabSize) < count / 2, "there are several pieces, and a rest");
  const h = Array.from({ length: count }, (_, i) => 0.5 + (i % 5) / 5); // no sum cancels
  const slopes = h.map((_, i) => 0.25 + i % 3);
  const before = tf.memory().numTensors;
  // The head is 0 but for one token: p = exp(h c) / (V - 1 + exp(h c)).
  const results = tf.tidy(() => {
    const rows = tf.tensor2d(h, [count, 1]);
    const targets = tf.fill([count], known, "int32") as tf.Tensor1D;
    const weight = tf.mul(tf.oneHot([known], vocabSize), c).reshape([vocabSize, 1]) as tf.Tensor2D;
    const { logProbs, unit } = headForward(rows, weight, targets, { unit: true });
    const gradient = headWeightGradient(tf.tensor1d(slopes), rows, weight, targets);
    return [logProbs, unit!, tf.slice(gradient, [known - 1, 0], [2, 1])];
  });
  const [logProbs, unit, gradient] = await Promise.all(results.map((result) => result.data()));
  tf.dispose(results);
  assertEquals(tf.memory().numTensors, before);
  const total = h.map((x) => vocabSize - 1 + Math.exp(x * c));
  const p = h.map((x, i) => Math.exp(x * c) / total[i]);
  assertClose(logProbs, p.map(Math.log), { relative: 1e-6 });
  assertClose(unit, p.map((p) => (p - 1) * c), { relative: 1e-6 });
  const sum = (terms: number[]) => terms.reduce((a, b) => a + b);
  assertClose(gradient, [
    sum(h.map((x, i) => -slopes[i] * x / total[i])),
    sum(h.map((x, i) => slopes[i] * x * (1 - p[i]))),
  ], { relative: 1e-5 });
});

Deno.test("headForward() gives no unit gradients where nobody needs them", async () => {
  await useBackend({ backend: "cpu" });
  tf.tidy(() => {
    const [h, weight] = [upload(randomTensor([4, 3], 3)), upload(randomTensor([7, 3], 4))];
    const targets = tf.tensor1d(TARGETS, "int32");
    const given = headForward(h as tf.Tensor2D, weight as tf.Tensor2D, targets, { unit: false });
    assertEquals(Object.keys(given), ["logProbs"]);
  });
});
