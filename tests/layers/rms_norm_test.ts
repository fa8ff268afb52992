import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { rmsNormApply, rmsNormBackward, rmsNormForward } from "../../lib/layers/rms_norm.ts";
import { assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { checkLayer, randomTensor, upload } from "./check_layer.ts";

const EPSILON = 1e-2;

Deno.test("rmsNormBackward() equals the tape's gradient", async () => {
  await checkLayer({
    inputs: [randomTensor([4, 6], 1), randomTensor([6], 2, 1)],
    plain: (x, weight) => {
      const meanSquare = tf.mean(tf.square(x), -1, true);
      return tf.mul(tf.div(x, tf.sqrt(tf.add(meanSquare, EPSILON))), weight);
    },
    layer(...given) {
      const x = given[0] as tf.Tensor2D, weight = given[1] as tf.Tensor1D;
      const { y, rstd } = rmsNormForward(x, weight, EPSILON);
      return {
        y,
        backward(dy) {
          const needs = { weights: true };
          const { dx, dweight } = rmsNormBackward(dy as tf.Tensor2D, x, rstd, weight, needs);
          return [dx, dweight];
        },
      };
    },
  });
});

Deno.test("rmsNormForward() gives arXiv 1910.07467's worked numbers, and rmsNormApply() the same again", async () => {
  await useBackend({ backend: "cpu" });
  tf.tidy(() => {
    const x = tf.tensor2d([[3, 4], [0, 0]]), weight = tf.tensor1d([1, 2]);
    const { y, rstd } = rmsNormForward(x, weight, 1e-6);
    const norm = Math.sqrt(12.5); // of [3, 4]: sqrt((9 + 16) / 2)
    assertClose(y.dataSync(), [3 / norm, 8 / norm, 0, 0], { absolute: 1e-6 });
    assertEquals(rmsNormApply(x, rstd, weight).dataSync(), y.dataSync());
  });
});

Deno.test("rmsNormBackward() leaves out the weight's gradient where nobody needs it", async () => {
  await useBackend({ backend: "cpu" });
  tf.tidy(() => {
    const x = upload(randomTensor([2, 3], 3)) as tf.Tensor2D, weight = tf.ones([3]) as tf.Tensor1D;
    const { rstd } = rmsNormForward(x, weight, EPSILON);
    assertEquals(rmsNormBackward(x, x, rstd, weight, { weights: false }).dweight, undefined);
  });
});
