/**
 * Compiles lib/backend/wasm/kernels.cc into lib/backend/wasm_code.ts.
 *
 *     deno run -A tests/golden/make_wasm_code.ts
 */
import { createHash } from "node:crypto";
import { compileWasm, wasmSource } from "../../lib/setup/compile_wasm.ts";

const code = await compileWasm(), source = await Deno.readFile(wasmSource);
await Deno.writeTextFile(
  new URL("../../lib/backend/wasm_code.ts", import.meta.url),
  `// Made by tests/golden/make_wasm_code.ts.

/** wasm/kernels.cc compiled, in base64. */
export const WASM_CODE: string =
  "${code.toBase64()}";

/** The hash of the source that it was compiled from. */
export const WASM_SOURCE_SHA256: string =
  "${createHash("sha256").update(source).digest("hex")}";
`,
);
