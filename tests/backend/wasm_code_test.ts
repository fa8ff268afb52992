import { createHash } from "node:crypto";
import { WASM_CODE, WASM_SOURCE_SHA256 } from "../../lib/backend/wasm_code.ts";
import { kernelsOn, productPart } from "../../lib/backend/wasm_product.ts";
import { wasmSource } from "../../lib/setup/compile_wasm.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { randomTensor } from "../layers/check_layer.ts";

Deno.test("wasm_code.ts was made from kernels.cc as it is", () => {
  const digest = createHash("sha256").update(Deno.readFileSync(wasmSource)).digest("hex");
  assertEquals(digest, WASM_SOURCE_SHA256, "run tests/golden/make_wasm_code.ts");
});

Deno.test("our WebAssembly kernels bring no data into the memory that they share", () => {
  const code = new WebAssembly.Module(Uint8Array.fromBase64(WASM_CODE));
  const imports = WebAssembly.Module.imports(code).map(({ name, kind }) => `${name}: ${kind}`);
  assertEquals(imports, ["memory: memory"]);
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65535, shared: true });
  new WebAssembly.Instance(code, { env: { memory } });
  assert(new Uint8Array(memory.buffer).every((byte) => byte === 0));
});

Deno.test("productPart() gives the same numbers however a product is cut", () => {
  const code = new WebAssembly.Module(Uint8Array.fromBase64(WASM_CODE));
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
  const kernels = kernelsOn(memory, code), { data } = randomTensor([2, 45, 300], 3);
  new Float32Array(memory.buffer).set(data);
  for (const [rows, columns] of [[45, 21], [21, 45]]) {
    const results = [1, 2, 5].map((cuts) => {
      const size = rows * columns, out = 1 << 20, room = 2 << 20;
      const sides = [0, 300, 1, 2, 4 * 45 * 300, 1, 300, 1]; // two on the left, one on the right
      const job = [...sides, out, rows, columns, 300, cuts];
      for (let part = 0; part < 2 * cuts; part++) productPart(kernels, { job, part, room });
      return new Float32Array(memory.buffer, out, 2 * size).slice();
    });
    assert(results[0].some((x) => x !== 0));
    assertEquals([results[1], results[2]], [results[0], results[0]]);
  }
});
