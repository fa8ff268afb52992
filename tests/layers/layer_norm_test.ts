import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import {
  layerNormApply,
  layerNormBackward,
  layerNormForward,
} from "../../lib/layers/layer_norm.ts";
import { assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { checkLayer, randomTensor, upload } from "./check_layer.ts";

const EPSILON = 1e-2;

Deno.test("layerNormBackward() equals the tape's gradient", async () => {
  await checkLayer({
    inputs: [randomTensor([4, 6], 1, 3), randomTensor([6], 2, 1), randomTensor([6], 3)],
    plain: (x, weight, bias) => {
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const variance = tf.mean(tf.square(centred), -1, true);
      const n = tf.div(centred, tf.sqrt(tf.add(variance, EPSILON)));
      return tf.add(tf.mul(n, weight), bias);
    },
    layer(...given) {
      const x = given[0] as tf.Tensor2D, [weight, bias] = given.slice(1) as tf.Tensor1D[];
      const { y, saved } = layerNormForward(x, weight, bias, EPSILON);
      return {
        y,
        backward(dy) {
          const needs = { weights: true };
          const back = layerNormBackward(dy as tf.Tensor2D, x, saved, weight, needs);
          return [back.dx, back.dweight, back.dbias];
        },
      };
    },
  });
});

Deno.test("layerNormApply() is layerNormForward()'s result; a residual is added to dx", async () => {
  await useBackend({ backend: "cpu" });
  tf.tidy(() => {
    const [x, dy, residual] = [1, 2, 3].map((seed) =>
      upload(randomTensor([4, 6], seed)) as tf.Tensor2D
    );
    const [weight, bias] = [4, 5].map((seed) => upload(randomTensor([6], seed)) as tf.Tensor1D);
    const { y, saved } = layerNormForward(x, weight, bias, EPSILON);
    assertEquals(layerNormApply(x, saved, weight, bias).arraySync(), y.arraySync());
    const back = (residual?: tf.Tensor2D) =>
      layerNormBackward(dy, x, saved, weight, { weights: false, residual });
    const sum = tf.add(back().dx, residual).dataSync();
    assertClose(back(residual).dx.dataSync(), sum, { absolute: 1e-6 });
    assertEquals(back().dweight, undefined);
  });
});
