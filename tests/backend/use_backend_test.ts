import * as tf from "@tensorflow/tfjs";
import { type BackendName, describeBackend, useBackend } from "../../lib/backend/use_backend.ts";
import { UserError } from "../../lib/errors.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { testUnless } from "../test_unless.ts";
import { presentBackends } from "./backends.ts";

const backends = await presentBackends();
const noTensorFlow = !backends.includes("tensorflow") && "TensorFlow is not set up";

for (const backend of backends) {
  Deno.test(`useBackend() multiplies on ${backend} and leaves no tensor behind`, async () => {
    const description = await useBackend({ backend });
    assertEquals(description.name, backend);
    assertEquals(describeBackend(), description);
    assertEquals(tf.getBackend(), backend);
    const before = [tf.memory().numTensors, tf.backend().numDataIds()];
    const product = tf.tidy(() => tf.matMul([[1, 2], [3, 4]], [[5, 6], [7, 8]]));
    assertEquals([...await product.data()], [19, 22, 43, 50]);
    product.dispose();
    assertEquals([tf.memory().numTensors, tf.backend().numDataIds()], before);
  });
}

testUnless(
  noTensorFlow,
  "useBackend() frees TensorFlow's own tensors with tfjs' scopes",
  async () => {
    await useBackend({ backend: "tensorflow" });
    const native = tf.backend() as unknown as { getNumOfTFTensors(): number };
    const before = native.getNumOfTFTensors();
    tf.tidy(() => {
      const x = tf.randomUniform([8, 8]);
      tf.matMul(tf.relu(x), x).sum();
      assert(native.getNumOfTFTensors() > before);
    });
    assertEquals(native.getNumOfTFTensors(), before);
  },
);

Deno.test("useBackend() keeps the backend in use when called again without options", async () => {
  const first = await useBackend({ backend: "cpu" });
  assertEquals(await useBackend(), first);
  assertEquals(await useBackend({ backend: "cpu" }), first);
});

Deno.test("useBackend() prefers TensorFlow, then WebGPU, then WebAssembly", async () => {
  const { name, why } = await useBackend({ backend: "auto" });
  if (backends.includes("tensorflow")) assertEquals(name, "tensorflow");
  else assert(name === "webgpu" || name === "wasm", name);
  assert(why.length > 0);
});

Deno.test("useBackend() names the backends when asked for an unknown one", async () => {
  const error = await useBackend({ backend: "cuda" as BackendName }).catch((error) => error);
  assert(error instanceof UserError);
  assertEquals(
    error.message,
    'Cannot use backend "cuda": wanted one of auto, tensorflow, webgpu, wasm, cpu',
  );
});

Deno.test("useBackend() lets tensors move along when the backend changes", async () => {
  await useBackend({ backend: "cpu" });
  const x = tf.tensor1d([1, 2, 3]);
  await useBackend({ backend: "wasm" });
  const y = tf.tidy(() => tf.add(x, 1));
  assertEquals([...await y.data()], [2, 3, 4]);
  tf.dispose([x, y]);
});
