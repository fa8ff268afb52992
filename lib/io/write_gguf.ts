import type { TensorSource } from "../types.ts";
import { checkRange } from "./check_range.ts";
import { type GgmlType, ggmlType } from "./gguf_types.ts";
import { quantizers } from "./quantizers.ts";
import { countOf, readInPieces } from "./tensor_source.ts";
import { writeFileAtomic } from "./write_atomic.ts";

/** A value of a GGUF file's metadata, with its type there. */
export type GgufValue =
  | { u32: number }
  | { f32: number }
  | { bool: boolean }
  | { text: string }
  | { texts: string[] }
  | { i32s: number[] }
  | { f32s: number[] };
/** What a GGUF file says about its model, in the file's order. */
export type GgufMetadata = Record<string, GgufValue>;

export type WriteGgufOptions = {
  metadata: GgufMetadata;
  /** How each tensor is stored; its rows must be whole blocks of that format. */
  typeOf: (name: string) => string;
  /** Called after every piece that was written. */
  onProgress?: (doneBytes: number, totalBytes: number) => void;
  signal?: AbortSignal;
};

const ALIGNMENT = 32;
const VERSION = 3;

/**
 * Writes a GGUF file of version 3, little-endian: a source's tensors under their names, each in the
 * format that `typeOf` says. Some megabytes are in memory at a time; the file appears complete or not
 * at all.
 *
 * **Source**: ggml's `docs/gguf.md`.
 *
 * @returns Bytes of the tensors, without header and padding.
 * @throws {UserError} Where the file can't be written, or a number doesn't fit into its format.
 */
export async function writeGguf(
  path: string,
  source: TensorSource,
  { metadata, typeOf, onProgress, signal }: WriteGgufOptions,
): Promise<number> {
  let end = 0, tensorBytes = 0;
  const tensors = source.names().map((name) => {
    const type = ggmlType(typeOf(name)), shape = source.shape(name);
    const bytes = countOf(shape) / type.elements * type.bytes, start = end;
    end += padded(bytes);
    tensorBytes += bytes;
    return { name, type, shape, bytes, start };
  });
  const header = createBuffer();
  header.bytes(new TextEncoder().encode("GGUF"));
  header.u32(VERSION);
  header.u64(tensors.length);
  header.u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) writeEntry(header, key, value);
  for (const { name, type, shape, start } of tensors) {
    header.text(name);
    header.u32(shape.length);
    shape.toReversed().forEach(header.u64);
    header.u32(type.id);
    header.u64(start);
  }
  header.bytes(new Uint8Array(padded(header.size()) - header.size()));
  await writeFileAtomic(path, async (write) => {
    let doneBytes = 0;
    await write(header.joined());
    for (const { name, type, bytes } of tensors) {
      for await (const piece of readInPieces(source, name)) {
        signal?.throwIfAborted();
        checkRange(piece, { dtype: type.name, name, path });
        const stored = quantize(piece, type);
        await write(stored);
        onProgress?.(doneBytes += stored.length, tensorBytes);
      }
      await write(new Uint8Array(padded(bytes) - bytes));
    }
  });
  return tensorBytes;
}

const padded = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

function quantize(values: Float32Array, { name, elements, bytes }: GgmlType): Uint8Array {
  const into = new Uint8Array(values.length / elements * bytes);
  quantizers[name](values, into);
  return into;
}

type Buffer = ReturnType<typeof createBuffer>;

/** Gathers values as little-endian bytes. */
function createBuffer() {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const bytes = (piece: Uint8Array) => {
    pieces.push(piece);
    size += piece.length;
  };
  const number = (length: number, set: (view: DataView) => void) => {
    const view = new DataView(new ArrayBuffer(length));
    set(view);
    bytes(new Uint8Array(view.buffer));
  };
  const u32 = (value: number) => number(4, (view) => view.setUint32(0, value, true));
  const u64 = (value: number) => number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  const text = (value: string) => {
    const encoded = new TextEncoder().encode(value);
    u64(encoded.length);
    bytes(encoded);
  };
  const joined = () => {
    const all = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  };
  return {
    joined,
    size: () => size,
    bytes,
    u32,
    u64,
    text,
    i32: (value: number) => number(4, (view) => view.setInt32(0, value, true)),
    f32: (value: number) => number(4, (view) => view.setFloat32(0, value, true)),
    bool: (value: boolean) => bytes(Uint8Array.of(value ? 1 : 0)),
  };
}

/** GGUF's ids of value types. */
const [U32, I32, F32, BOOL, TEXT, LIST] = [4, 5, 6, 7, 8, 9];

function writeEntry(buffer: Buffer, key: string, value: GgufValue): void {
  buffer.text(key);
  const one = <T>(id: number, write: (value: T) => void, content: T) => {
    buffer.u32(id);
    write(content);
  };
  const list = <T>(id: number, write: (value: T) => void, content: T[]) => {
    buffer.u32(LIST);
    buffer.u32(id);
    buffer.u64(content.length);
    content.forEach((item) => write(item));
  };
  if ("u32" in value) return one(U32, buffer.u32, value.u32);
  if ("f32" in value) return one(F32, buffer.f32, value.f32);
  if ("bool" in value) return one(BOOL, buffer.bool, value.bool);
  if ("text" in value) return one(TEXT, buffer.text, value.text);
  if ("texts" in value) return list(TEXT, buffer.text, value.texts);
  if ("i32s" in value) return list(I32, buffer.i32, value.i32s);
  return list(F32, buffer.f32, value.f32s);
}

/** Metadata as it is read back: values without their types. */
export function plainMetadata(metadata: GgufMetadata): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [key, Object.values(value)[0]]),
  );
}
