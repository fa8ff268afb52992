import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { heapOf, withSharedMemory } from "../../lib/backend/wasm_memory.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { thrownBy } from "../thrown_by.ts";

Deno.test("withSharedMemory() refuses a binary that it doesn't know", () => {
  const { message } = thrownBy(() => withSharedMemory(new Uint8Array([0, 97, 115, 109])));
  assertEquals(message, "tfjs' WebAssembly binary has another memory than expected");
});

Deno.test("on WebAssembly memory is shared, and a tensor that doesn't fit is refused", async () => {
  await useBackend({ backend: "wasm" });
  const backend = tf.backend() as BackendWasm, { memory } = heapOf(backend).asm;
  assert(memory.buffer instanceof SharedArrayBuffer);
  const before = memory.buffer.byteLength;
  const { message } = thrownBy(() => backend.makeOutput([33_000, 33_000], "float32"));
  assertEquals(message, "WebAssembly is out of memory: it has at most 4 GiB");
  assertEquals(memory.buffer.byteLength, before);
});
