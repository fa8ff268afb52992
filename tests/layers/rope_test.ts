import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { ropeBackward, ropeForward, ropeTables } from "../../lib/layers/rope.ts";
import { ropeFrequencies } from "../../lib/layers/rope_frequencies.ts";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assertClose } from "../close.ts";
import { checkLayer, randomTensor, upload } from "./check_layer.ts";

const POSITIONS = Int32Array.from([0, 1, 7, 3]), HEAD_DIM = 6, THETA = 100;
const FREQUENCIES = ropeFrequencies(HEAD_DIM, THETA);

Deno.test("ropeBackward() equals the tape's gradient", async () => {
  const scale = 0.4, half = HEAD_DIM / 2;
  const angles = Array.from(
    POSITIONS,
    (position) => [
      Array.from({ length: HEAD_DIM }, (_, j) => position * THETA ** (-(j % half) / half)),
    ],
  );
  await checkLayer({
    inputs: [randomTensor([4, 2, HEAD_DIM], 1)],
    plain: (x) => {
      const [first, second] = tf.split(x, 2, 2);
      const turned = tf.mul(tf.concat([tf.neg(second), first], 2), tf.sin(angles));
      return tf.mul(tf.add(tf.mul(x, tf.cos(angles)), turned), scale);
    },
    layer(x) {
      const tables = ropeTables(POSITIONS, { frequencies: FREQUENCIES, scale });
      return {
        y: ropeForward(x as tf.Tensor3D, tables),
        backward: (dy) => [ropeBackward(dy as tf.Tensor3D, tables)],
      };
    },
  });
});

Deno.test("ropeForward() makes a product of query and key depend on their distance alone", async () => {
  await useBackend({ backend: "cpu" });
  const product = (at: number, to: number, seed: number) =>
    tf.tidy(() => {
      const [q, k] = [[at, seed], [to, seed + 1]].map(([position, seed]) =>
        ropeForward(
          upload(randomTensor([1, 1, HEAD_DIM], seed)) as tf.Tensor3D,
          ropeTables(Int32Array.of(position), { frequencies: FREQUENCIES }),
        )
      );
      return tf.sum(tf.mul(q, k)).dataSync()[0];
    });
  const position = fc.nat({ max: 200 });
  fc.assert(
    fc.property(position, position, position, fc.nat(), (at, to, shift, seed) => {
      const moved = product(at + shift, to + shift, seed);
      assertClose(moved, product(at, to, seed), { absolute: 2e-4 });
    }),
    { numRuns: 50 },
  );
});
