import * as tf from "@tensorflow/tfjs";
import { openEventWriter } from "../../lib/backend/event_writer.ts";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { testUnless } from "../test_unless.ts";
import { userMessage } from "../thrown_by.ts";

const noTensorFlow = await useBackend({ backend: "tensorflow" }).then(
  () => null,
  () => "no TensorFlow",
);

testUnless(
  noTensorFlow,
  "openEventWriter() writes a file of its own and leaves no tensor",
  async () => {
    await useBackend({ backend: "tensorflow" });
    const folder = await Deno.makeTempDir(), tensors = tf.memory().numTensors;
    const [one, other] = [`${folder}/one`, `${folder}/other`].map(openEventWriter);
    one.scalar("loss", 0.5, 1);
    one.scalar("loss", NaN, 2);
    other.close();
    one.flush();
    const size = (name: string) => {
      const [file, ...more] = [...Deno.readDirSync(`${folder}/${name}`)];
      assertEquals(more, []);
      return Deno.statSync(`${folder}/${name}/${file.name}`).size;
    };
    assert(size("one") > size("other"));
    one.close();
    assertEquals(tf.memory().numTensors, tensors);
    await Deno.remove(folder, { recursive: true });
  },
);

Deno.test("openEventWriter() says where it can't write, and how it could", async () => {
  await useBackend({ backend: "cpu" });
  const message = userMessage(() => openEventWriter("logs"));
  assert(message.startsWith("Cannot write TensorBoard's event files on cpu: only TensorFlow"));
  assert(message.includes("leave --logging out"));
});
