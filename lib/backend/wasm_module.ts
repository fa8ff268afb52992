import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { WASM_CODE } from "./wasm_code.ts";

/** A matrix as wasm/kernels.cc takes it: its first byte, and the numbers from row to row and column to column. */
type Matrix = [place: number, rowStep: number, columnStep: number];

/** The functions of wasm/kernels.cc. A place is in the backend's memory, in bytes. */
type Kernels = {
  product(
    ...args: [
      ...a: Matrix,
      ...b: Matrix,
      out: number,
      rows: number,
      columns: number,
      inner: number,
      room: number,
    ]
  ): void;
  productRoom(): number;
};

/** Our own kernels on a backend's memory, and the place there that `product` works in. */
export type WasmModule = Kernels & { room: number };

const modules = new WeakMap<BackendWasm, WasmModule>();

/** The kernels of wasm/kernels.cc on the memory of tfjs' WebAssembly backend. */
export function wasmModule(backend: BackendWasm): WasmModule {
  const known = modules.get(backend);
  if (known) return known;
  const { asm: { memory }, _malloc } = backend.wasm as unknown as {
    asm: { memory: WebAssembly.Memory };
    _malloc(bytes: number): number;
  };
  const code = new WebAssembly.Module(Uint8Array.fromBase64(WASM_CODE));
  const { exports } = new WebAssembly.Instance(code, { env: { memory } });
  const kernels = exports as Kernels;
  const made = {
    ...kernels,
    room: _malloc(Float32Array.BYTES_PER_ELEMENT * kernels.productRoom()),
  };
  modules.set(backend, made);
  return made;
}
