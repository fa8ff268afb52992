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
