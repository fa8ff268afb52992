import { WASM_CODE } from "../../lib/backend/wasm_code.ts";
import { compileWasm } from "../../lib/setup/compile_wasm.ts";
import { assertEquals } from "../../lib/std.ts";

Deno.test("kernels.cc compiles to the very bytes of wasm_code.ts", async () => {
  assertEquals((await compileWasm()).toBase64(), WASM_CODE);
});
