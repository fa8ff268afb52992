import { createHash } from "node:crypto";
import { WASM_CODE, WASM_SOURCE_SHA256 } from "../../lib/backend/wasm_code.ts";
import { wasmSource } from "../../lib/setup/compile_wasm.ts";
import { assert, assertEquals } from "../../lib/std.ts";

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
