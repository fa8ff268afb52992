import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assertEquals } from "../../lib/std.ts";
import { thrownBy } from "../thrown_by.ts";

Deno.test("tf.gather() of rows on WebAssembly refuses a row that isn't there", async () => {
  await useBackend({ backend: "wasm" });
  tf.tidy(() => {
    const x = tf.tensor2d([[1, 2], [3, 4]]);
    assertEquals([...tf.gather(x, tf.tensor1d([1, 0, 1], "int32")).dataSync()], [3, 4, 1, 2, 3, 4]);
    for (const row of [-1, 2]) {
      const rows = tf.tensor1d([0, row], "int32");
      assertEquals(thrownBy(() => tf.gather(x, rows)).message, `Cannot gather row ${row} of 2`);
    }
  });
});
