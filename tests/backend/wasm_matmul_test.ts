import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assertEquals } from "../../lib/std.ts";
import { assertClose, relativeError } from "../close.ts";
import { randomTensor, upload } from "../layers/check_layer.ts";

/** The product of the same numbers on a backend, and how many tensors it left behind but the result. */
async function productOn(
  backend: "wasm" | "cpu",
  [a, b]: number[][],
  [turnsA, turnsB]: boolean[],
): Promise<{ shape: number[]; data: Float32Array; left: number }> {
  await useBackend({ backend });
  const inputs = [upload(randomTensor(a, 1)), upload(randomTensor(b, 2))];
  const before = tf.backend().numDataIds();
  const product = tf.matMul(inputs[0], inputs[1], turnsA, turnsB);
  const left = tf.backend().numDataIds() - before - 1;
  const data = product.dataSync<"float32">().slice();
  tf.dispose([...inputs, product]);
  return { shape: product.shape, data, left };
}

const turned = ([...shape]: number[], isTurned: boolean) =>
  isTurned ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape;

/**
 * Below, at and above a tile's rows and columns, and a block's rows, inner size and columns; then what
 * threads share, by rows and by columns.
 */
const SIZES = [
  ...[[1, 1, 1], [3, 5, 7], [4, 4, 8], [6, 257, 9], [193, 3, 17], [5, 2, 1030]],
  ...[[203, 90, 70], [70, 90, 203]],
];

for (const [rows, inner, columns] of SIZES) {
  Deno.test(`tf.matMul() on WebAssembly: [${rows}, ${inner}] by [${inner}, ${columns}]`, async () => {
    for (const turns of [[false, false], [true, false], [false, true], [true, true]]) {
      const shapes = [turned([rows, inner], turns[0]), turned([inner, columns], turns[1])];
      const [ours, wanted] = [
        await productOn("wasm", shapes, turns),
        await productOn("cpu", shapes, turns),
      ];
      assertEquals([ours.shape, ours.left], [wanted.shape, 0]);
      assertClose(relativeError(ours.data, wanted.data), 0, { absolute: 1e-6 });
    }
  });
}

const BATCHES = [[[6], [6]], [[6], []], [[], [6]], [[3, 2], [2]]];

for (const batches of BATCHES) {
  Deno.test(`tf.matMul() on WebAssembly broadcasts [${batches.join("] and [")}]`, async () => {
    const shapes = [[...batches[0], 50, 70], [...batches[1], 60, 70]], turns = [false, true];
    const [ours, wanted] = [
      await productOn("wasm", shapes, turns),
      await productOn("cpu", shapes, turns),
    ];
    assertEquals(ours.shape, wanted.shape);
    assertClose(relativeError(ours.data, wanted.data), 0, { absolute: 1e-6 });
  });
}

Deno.test("tf.matMul() on WebAssembly of nothing is zeros", async () => {
  await useBackend({ backend: "wasm" });
  tf.tidy(() => {
    tf.fill([2, 3], 7); // what a result may find in memory
    assertEquals([...tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])).dataSync()], Array(6).fill(0));
    assertEquals(tf.matMul(tf.zeros([0, 2, 4]), tf.zeros([0, 4, 3])).shape, [0, 2, 3]);
  });
});
