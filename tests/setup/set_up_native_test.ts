import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { firstMultiplication } from "../../lib/setup/first_multiplication.ts";
import { checkDisk } from "../../lib/setup/set_up_native.ts";
import { wheelWay } from "../../lib/setup/wheel_way.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { userError } from "../io/damage.ts";
import { testUnless } from "../test_unless.ts";
import { userMessage } from "../thrown_by.ts";

const noTensorFlow = await useBackend({ backend: "tensorflow" })
  .then(() => null, () => "TensorFlow is not set up");

testUnless(noTensorFlow, "firstMultiplication() doesn't trust a wrong product", async () => {
  assertEquals((await firstMultiplication()).name, "tensorflow");
  const kernel = tf.getKernel("BatchMatMul", "tensorflow");
  tf.unregisterKernel("BatchMatMul", "tensorflow");
  const kernelFunc: typeof kernel.kernelFunc = ({ inputs: { a } }) =>
    tf.onesLike(a as unknown as tf.Tensor);
  tf.registerKernel({ ...kernel, kernelFunc });
  try {
    const { message } = await userError(firstMultiplication());
    assertEquals(message, "Cannot trust TensorFlow: wanted 19 22 43 50 from it, found 1 1 1 1");
  } finally {
    tf.unregisterKernel("BatchMatMul", "tensorflow");
    tf.registerKernel(kernel);
  }
});

Deno.test("checkDisk() says how much room is wanted and how much there is", () => {
  checkDisk(".", 1);
  const message = userMessage(() => checkDisk(".", 1e18));
  const wanted =
    /^Cannot unpack TensorFlow in "\.": wanted 1000000000000 MB of free disk, found \d+ MB$/;
  assert(wanted.test(message), message);
});

Deno.test("wheelWay() says that PyPI has nothing for a system", () => {
  const way = wheelWay({ os: "windows", arch: "x86_64", nvidia: false }, "nowhere");
  assertEquals(way.steps, []);
  const reason = "PyPI has no TensorFlow for windows on x86_64 that Deno could load";
  assertEquals(userMessage(() => way.plan([])), reason);
});
