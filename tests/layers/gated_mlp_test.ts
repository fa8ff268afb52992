import * as tf from "@tensorflow/tfjs";
import { gatedBackward, gatedForward } from "../../lib/layers/gated_mlp.ts";
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
