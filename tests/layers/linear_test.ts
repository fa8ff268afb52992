import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { linearBackward, linearsForward } from "../../lib/layers/linear.ts";
import { assertEquals } from "../../lib/std.ts";
import { checkLayer, randomTensor, upload } from "./check_layer.ts";

const [x, weight, bias] = [
  randomTensor([5, 4], 1),
  randomTensor([3, 4], 2),
  randomTensor([3], 3),
];
const [a, b] = [randomTensor([2, 4], 4), randomTensor([3, 2], 5)];
const ALL = { input: true, weights: true };

Deno.test("linearBackward() equals the tape's gradient: weight alone", async () => {
  await checkLayer({
    inputs: [x, weight],
    plain: (x, w) => tf.matMul(x, w, false, true),
    layer(...given) {
      const [x, weight] = given as tf.Tensor2D[];
      const { y, saved } = linearsForward(x, [{ weight }])[0];
      return {
        y,
        backward(dy) {
          const { dx, gradients } = linearBackward(
            dy as tf.Tensor2D,
            () => x,
            saved,
            { weight },
            ALL,
          );
          return [dx, gradients.weight];
        },
      };
    },
  });
});

Deno.test("linearBackward() equals the tape's gradient: weight, bias and a low-rank update", async () => {
  const scale = 1.7;
  await checkLayer({
    inputs: [x, weight, bias, a, b],
    plain: (x, w, bias, a, b) => {
      const update = tf.matMul(tf.matMul(x, a, false, true), b, false, true);
      return tf.addN([tf.add(tf.matMul(x, w, false, true), bias), tf.mul(update, scale)]);
    },
    layer(...given) {
      const [x, weight, , a, b] = given as tf.Tensor2D[], bias = given[2] as tf.Tensor1D;
      const parameters = { weight, bias, lowRank: { a, b, scale } };
      const { y, saved } = linearsForward(x, [parameters])[0];
      return {
        y,
        backward(dy) {
          const back = linearBackward(dy as tf.Tensor2D, () => x, saved, parameters, ALL);
          const { weight, bias, a, b } = back.gradients;
          return [back.dx, weight, bias, a, b];
        },
      };
    },
  });
});

Deno.test("linearBackward() equals the tape's gradient: a transposed weight with a low-rank update", async () => {
  await checkLayer({
    inputs: [x, randomTensor([4, 3], 2), a, b],
    plain: (x, w, a, b) =>
      tf.add(tf.matMul(x, w), tf.matMul(tf.matMul(x, a, false, true), b, false, true)),
    layer(...given) {
      const [x, weight, a, b] = given as tf.Tensor2D[];
      const parameters = { weight, lowRank: { a, b, scale: 1 }, transposed: true };
      const { y, saved } = linearsForward(x, [parameters])[0];
      return {
        y,
        backward(dy) {
          const back = linearBackward(dy as tf.Tensor2D, () => x, saved, parameters, ALL);
          return [back.dx, back.gradients.weight, back.gradients.a, back.gradients.b];
        },
      };
    },
  });
});

Deno.test("linearBackward() leaves out what nobody needs, and does not ask for the input then", async () => {
  await useBackend({ backend: "cpu" });
  tf.tidy(() => {
    const parameters = { weight: upload(weight) as tf.Tensor2D };
    const dy = upload(randomTensor([5, 3], 6)) as tf.Tensor2D;
    const asked = () => {
      throw new Error("the input was asked for");
    };
    const needs = { input: false, weights: false };
    const { dx, gradients } = linearBackward(dy, asked, {}, parameters, needs);
    assertEquals([dx, gradients], [undefined, {}]);
  });
});
