import * as tf from "@tensorflow/tfjs";
import {
  checkHalf,
  isHalf,
  toFloat,
  toHalf,
  weightProduct,
  weightRows,
} from "../../lib/backend/half_matrix.ts";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { assertClose, relativeError } from "../close.ts";
import { randomTensor, upload } from "../layers/check_layer.ts";
import { userMessage } from "../thrown_by.ts";
import { presentBackends } from "./backends.ts";

const hasTensorflow = (await presentBackends()).includes("tensorflow");
const ignore = !hasTensorflow;

/** The nearest number of 8 bits of precision, ties to even, by bfloat16's own layout. */
function rounded(x: number): number {
  const bits = new Uint32Array(new Float32Array([x]).buffer);
  bits[0] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0];
}

Deno.test({
  name: "toHalf() rounds to the nearest bfloat16, and rows of it are what a copy of it holds",
  ignore,
  async fn() {
    await useBackend({ backend: "tensorflow" });
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const { shape, data } = randomTensor([7, 5], 1);
      const half = toHalf(upload({ shape, data }) as tf.Tensor2D);
      assert(isHalf(half));
      assertEquals([...toFloat(half).dataSync()], [...data].map(rounded));
      const rows = weightRows(half, tf.tensor1d([6, 0], "int32"));
      const wanted = [...data.slice(30), ...data.slice(0, 5)].map(rounded);
      assertEquals([...rows.dataSync()], wanted);
    });
    assertEquals(tf.memory().numTensors, before);
  },
});

Deno.test({
  name: "weightProduct() rounds what bfloat16 rounds, and with exact the weight alone",
  ignore,
  async fn() {
    await useBackend({ backend: "tensorflow" });
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const x = upload(randomTensor([9, 40], 2)) as tf.Tensor2D;
      const weight = upload(randomTensor([30, 40], 3)) as tf.Tensor2D, half = toHalf(weight);
      for (const transpose of [true, false]) {
        const left = transpose ? x : tf.slice(x, [0, 0], [9, 30]) as tf.Tensor2D;
        const full = tf.matMul(left, toFloat(half), false, transpose);
        const exact = weightProduct(left, half, { transpose, exact: true });
        assertClose(relativeError(exact.dataSync(), full.dataSync()), 0, { absolute: 1e-6 });
        const rough = weightProduct(left, half, { transpose });
        const error = relativeError(rough.dataSync(), full.dataSync());
        assert(error > 1e-4 && error < 5e-3, `relative error ${error}`);
      }
    });
    assertEquals(tf.memory().numTensors, before);
  },
});

Deno.test("checkHalf() says where bfloat16 can be had", async () => {
  await useBackend({ backend: "cpu" });
  assertEquals(
    userMessage(() => checkHalf("bf32")),
    "Cannot multiply in bf32: wanted backend tensorflow, found cpu; use precision float32",
  );
});
