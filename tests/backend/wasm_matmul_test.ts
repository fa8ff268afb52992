import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assertEquals } from "../../lib/std.ts";

Deno.test("replaceWasmMatMul() leaves no transposed copy on the backend", async () => {
  await useBackend({ backend: "wasm" });
  const [a, b] = [tf.ones([7, 5]), tf.ones([3, 7])];
  const before = tf.backend().numDataIds();
  const product = tf.matMul(a, b, true, true);
  assertEquals(tf.backend().numDataIds(), before + 1);
  assertEquals(Array.from(product.dataSync()), Array(15).fill(7));
  tf.dispose([a, b, product]);
});
