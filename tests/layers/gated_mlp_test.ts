import * as tf from "@tensorflow/tfjs";
import { gatedBackward, gatedForward } from "../../lib/layers/gated_mlp.ts";
import { assert } from "../../lib/std.ts";
import { activate, activateWithSlope } from "../../lib/layers/activation.ts";
import { assertClose } from "../close.ts";
import { checkLayer, randomTensor } from "./check_layer.ts";

Deno.test("gatedBackward() equals the tape's gradient", async () => {
  await checkLayer({
    inputs: [randomTensor([4, 5], 1), randomTensor([4, 5], 2)],
    plain: (gate, up) => tf.mul(tf.div(gate, tf.add(1, tf.exp(tf.neg(gate)))), up),
    layer(...given) {
      const [gate, up] = given as tf.Tensor2D[];
      return {
        y: gatedForward(gate, up),
        backward(dy) {
          const { dgate, dup } = gatedBackward(dy as tf.Tensor2D, gate, up);
          return [dgate, dup];
        },
      };
    },
  });
});

const cubed = (x: tf.Tensor) => tf.add(x, tf.mul(0.044715, tf.pow(x, 3)));
const gelu = (x: tf.Tensor) =>
  tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), cubed(x)))));

Deno.test("gatedBackward() equals the tape's gradient: GELU", async () => {
  await checkLayer({
    inputs: [randomTensor([4, 5], 1), randomTensor([4, 5], 2)],
    plain: (gate, up) => tf.mul(gelu(gate), up),
    layer(...given) {
      const [gate, up] = given as tf.Tensor2D[];
      return {
        y: gatedForward(gate, up, "gelu_tanh"),
        backward(dy) {
          const { dgate, dup } = gatedBackward(dy as tf.Tensor2D, gate, up, "gelu_tanh");
          return [dgate, dup];
        },
      };
    },
  });
});

Deno.test("activateWithSlope() equals the tape's gradient, and stays finite far out", async () => {
  for (const kind of ["silu", "gelu_tanh"] as const) {
    await checkLayer({
      inputs: [randomTensor([4, 5], 1)],
      plain: (x) => kind === "silu" ? tf.mul(x, tf.sigmoid(x)) : gelu(x),
      layer: (x) => ({
        y: activate(x as tf.Tensor2D, kind),
        backward: (dy) => [tf.mul(dy, activateWithSlope(x as tf.Tensor2D, kind).slope)],
      }),
    });
    tf.tidy(() => {
      const { a, slope } = activateWithSlope(tf.tensor2d([[-200, 200]]), kind);
      assertClose(a.dataSync(), [0, 200], { absolute: 1e-4 });
      assertClose(slope.dataSync(), [0, 1], { absolute: 1e-4 });
      assert(activate(tf.tensor2d([[NaN]]), kind).dataSync().every(Number.isNaN));
    });
  }
});
