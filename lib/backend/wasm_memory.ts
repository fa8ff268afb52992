import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

/** What Emscripten's module has beside what tfjs' types tell of it; its own `_malloc` replaces itself. */
export type WasmHeap = {
  asm: { memory: WebAssembly.Memory; malloc(bytes: number): number };
  _malloc(bytes: number): number;
};

/** A backend's memory and what gives room in it. */
export function heapOf(backend: BackendWasm): WasmHeap {
  return backend.wasm as unknown as WasmHeap;
}

/** The section of tfjs' binary that says what memory it has: from 16 MiB on, up to 4 GiB. */
const SECTION = [5, 7, 1, 1, 128, 2, 128, 128, 4];
/** The same, shared between threads, and a page less, which is the most that a linker can name. */
const SHARED = [5, 7, 1, 3, 128, 2, 255, 255, 3];

/**
 * tfjs' WebAssembly binary with its memory declared as one that threads may share, so that kernels of
 * our own can work in it on all cores. tfjs' own threads don't run here.
 *
 * @throws {Error} where the binary is another than this was written for.
 */
export function withSharedMemory(binary: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const at = binary.findIndex((_, i) => SECTION.every((byte, j) => binary[i + j] === byte));
  if (at < 0) throw new Error("tfjs' WebAssembly binary has another memory than expected");
  const shared = binary.slice();
  shared.set(SHARED, at);
  return shared;
}

/** Lets a tensor that has no room be an error, where tfjs would write it over what lies at address 0. */
export function throwWithoutRoom(backend: BackendWasm): void {
  const heap = heapOf(backend), { malloc } = heap.asm;
  heap._malloc = (bytes) => {
    const place = bytes < 2 ** 32 ? malloc(bytes) : 0; // a larger count would wrap around
    if (place === 0) throw new RangeError("WebAssembly is out of memory: it has at most 4 GiB");
    return place;
  };
}
