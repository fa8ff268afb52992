import * as tf from "@tensorflow/tfjs";
import { isCopiedFrom, uploadNow } from "../../lib/backend/upload_now.ts";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assertEquals } from "../../lib/std.ts";
import { presentBackends } from "./backends.ts";

for (const backend of await presentBackends()) {
  Deno.test(`isCopiedFrom() tells when a buffer may be filled again: ${backend}`, async () => {
    await useBackend({ backend });
    const before = tf.memory().numTensors;
    for (const count of [1, 33, 100_000]) {
      const values = Float32Array.from({ length: count }, (_, i) => i + 1);
      const isCopied = isCopiedFrom(values.buffer);
      assertEquals(values[0], 1, "the probe leaves no trace");
      const tensor = uploadNow(values, [count]);
      if (isCopied) values.fill(-1);
      assertEquals((await tensor.data())[count - 1], count);
      tensor.dispose();
    }
    assertEquals(tf.memory().numTensors, before);
  });
}
