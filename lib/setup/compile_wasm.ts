import { join } from "node:path";
import { zigCompiler } from "./compiler.ts";
import { findPython } from "./find_python.ts";
import { runCommand } from "./run_command.ts";

/** Where our own WebAssembly kernels stand. */
export const wasmSource: string = join(import.meta.dirname!, "../backend/wasm/kernels.cc");

/**
 * Compiles our own WebAssembly kernels, with the one compiler whose version is pinned: on every
 * machine to the same bytes.
 *
 * @throws {UserError} where Python or the network is missing, or the source is wrong.
 */
export async function compileWasm(): Promise<Uint8Array<ArrayBuffer>> {
  const purpose = "compile the WebAssembly kernels", folder = await Deno.makeTempDir();
  const zig = zigCompiler({ folder: join(folder, "zig"), python: await findPython(purpose) });
  try {
    const { command, args, env } = await zig.prepare(), output = join(folder, "kernels.wasm");
    const all = [...args, ...wasmArguments(), wasmSource, "-o", output];
    await runCommand(command, { args: all, env, purpose });
    return await Deno.readFile(output);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function wasmArguments(): string[] {
  return [
    ...["-target", "wasm32-freestanding", "-mcpu=generic+simd128+relaxed_simd+bulk_memory+atomics"],
    ...["-std=c++17", "-O3", "-nostdlib", "-fno-exceptions", "-Wl,--no-entry", "-Wl,--strip-all"],
    // In another program's memory: whatever would use a stack of its own fails at address 0.
    ...["-Wl,--import-memory", "-Wl,-z,stack-size=0"],
    ...["-Wl,--shared-memory", "-Wl,--max-memory=4294901760"],
  ];
}
