import * as tf from "@tensorflow/tfjs";
import { crossEntropy, plainCrossEntropy } from "../../lib/backend/cross_entropy.ts";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { createRandom } from "../../lib/random.ts";
import { assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { presentBackends } from "./backends.ts";

const backends = await presentBackends();

/** Logits for 3 tokens of 4 classes; with equal logits the loss is ln 4 and p = 1/4. */
const logits = [[0, 0, 0, 0], [1, 2, 3, 4], [1000, -1000, 0, 0]];
const targets = [2, 3, 1];
const losses = [Math.log(4), Math.log(1 + Math.exp(-1) + Math.exp(-2) + Math.exp(-3)), 2000];

for (const backend of backends) {
  for (const [name, run] of Object.entries({ crossEntropy, plainCrossEntropy })) {
    Deno.test(`${name}() gives -log p and softmax - oneHot on ${backend}`, async () => {
      await useBackend({ backend });
      const before = tf.memory().numTensors;
      const [x, y] = [tf.tensor2d(logits), tf.tensor1d(targets, "int32")];
      const { loss, gradient } = run(x, y);
      assertClose(await loss.data(), losses, { relative: 1e-6 });
      const first = (await gradient.data()).slice(0, 4);
      assertClose(first, [0.25, 0.25, -0.75, 0.25], { absolute: 1e-6 });
      assertClose((await gradient.data()).slice(8), [1, -1, 0, 0], { absolute: 1e-6 });
      tf.dispose([x, y, loss, gradient]);
      assertEquals(tf.memory().numTensors, before);
    });
  }

  Deno.test(`crossEntropy() agrees with its plain twin on ${backend}`, async () => {
    await useBackend({ backend });
    const random = createRandom(7);
    const [n, classes] = [33, 301];
    const values = Float32Array.from({ length: n * classes }, () => 5 * random.normal());
    const x = tf.tensor2d(values, [n, classes]);
    const y = tf.tensor1d(Array.from({ length: n }, () => random.below(classes)), "int32");
    const [one, other] = [crossEntropy(x, y), plainCrossEntropy(x, y)];
    assertClose(await one.loss.data(), await other.loss.data(), { relative: 1e-5, absolute: 1e-5 });
    assertClose(await one.gradient.data(), await other.gradient.data(), { absolute: 1e-6 });
    tf.dispose([x, y, one, other]);
  });
}
