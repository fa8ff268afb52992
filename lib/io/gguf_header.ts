import { UserError } from "../errors.ts";
import type { ByteFile } from "./byte_file.ts";
import { type GgmlType, ggmlTypes } from "./gguf_types.ts";

/** Where one tensor lies in a GGUF file; `shape` is row-major, `start` counts from the file's beginning. */
export type GgufEntry = { type: GgmlType; dtype: string; shape: number[]; start: number };
export type GgufHeader = { metadata: Record<string, unknown>; tensors: Map<string, GgufEntry> };

const MAX_DIMENSIONS = 4;
const MAX_DEPTH = 4;
const WINDOW_BYTES = 2 ** 20;

/**
 * Reads and checks a GGUF header: version 2 or 3, little-endian. Every length is held against the
 * bytes that are left before anything of that length is made, so a damaged file can't exhaust memory.
 *
 * **Source**: ggml's `docs/gguf.md`.
 *
 * @throws {UserError} Where the file breaks a rule of the format.
 */
export function readGgufHeader(file: ByteFile): GgufHeader {
  const cursor = createCursor(file);
  if (file.size < 24 || cursor.text(4) !== "GGUF") {
    throw cursor.fail(`it doesn't begin with "GGUF"; this is no GGUF file`);
  }
  const version = cursor.u32();
  if (version !== 2 && version !== 3) {
    const found = version & 0xffff ? `version ${version}` : "a big-endian file";
    throw cursor.fail(`wanted little-endian GGUF of version 2 or 3, found ${found}`);
  }
  const tensorCount = cursor.count(24, "tensors");
  const metadata = readMetadata(cursor, cursor.count(13, "metadata entries"));
  const tensors = new Map<string, GgufEntry>();
  for (let i = 0; i < tensorCount; i++) {
    const name = cursor.string();
    if (tensors.has(name)) throw cursor.fail(`tensor "${name}" comes twice`);
    tensors.set(name, readTensorEntry(cursor, name));
  }
  const alignment = metadata["general.alignment"] ?? 32;
  if (typeof alignment !== "number" || !isPowerOfTwo(alignment)) {
    throw cursor.fail(`general.alignment must be a power of two, found ${alignment}`);
  }
  const base = Math.ceil(cursor.position() / alignment) * alignment;
  for (const entry of tensors.values()) entry.start += base;
  checkLayout(tensors, { alignment, base, size: file.size, fail: cursor.fail });
  return { metadata, tensors };
}

const isPowerOfTwo = (value: number) => Number.isInteger(Math.log2(value)) && value >= 1;

type Cursor = ReturnType<typeof createCursor>;

/** Reads values one after the other through a window over the file. */
function createCursor(file: ByteFile) {
  let view = new DataView(new ArrayBuffer(0));
  let windowStart = 0;
  let position = 0;
  const fail = (reason: string) =>
    new UserError(`Cannot read "${file.path}": ${reason}`, { path: file.path });
  /** Makes the next `length` bytes visible; returns where in `view` they begin. */
  const take = (length: number): number => {
    if (length > file.size - position) {
      throw fail(`its header is cut short or damaged at byte ${position} of ${file.size}`);
    }
    if (position + length > windowStart + view.byteLength) {
      windowStart = position;
      const bytes = Math.min(Math.max(length, WINDOW_BYTES), file.size - position);
      view = new DataView(file.read(position, bytes).buffer);
    }
    position += length;
    return position - length - windowStart;
  };
  const number = (value: bigint) => Number.isSafeInteger(Number(value)) ? Number(value) : value;
  const text = (length: number) => {
    const at = take(length);
    try {
      const bytes = new Uint8Array(view.buffer, at, length);
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw fail(`the text at byte ${position - length} is not UTF-8`);
    }
  };
  /** Reads a value; `view` may be another one once its bytes are visible. */
  const value = <T>(bytes: number, get: (view: DataView, at: number) => T): T => {
    const at = take(bytes);
    return get(view, at);
  };
  const u64 = () => number(value(8, (view, at) => view.getBigUint64(at, true)));
  /** Reads how many things follow, of at least `bytesEach`. */
  const count = (bytesEach: number, what: string): number => {
    const claimed = u64();
    const most = Math.floor((file.size - position) / bytesEach);
    if (typeof claimed === "number" && claimed <= most) return claimed;
    throw fail(`it claims ${claimed} ${what}, at most ${most} fit in the rest of the file`);
  };
  return {
    fail,
    text,
    u64,
    count,
    position: () => position,
    string: () => text(count(1, "bytes of text")),
    u8: () => value(1, (view, at) => view.getUint8(at)),
    i8: () => value(1, (view, at) => view.getInt8(at)),
    u16: () => value(2, (view, at) => view.getUint16(at, true)),
    i16: () => value(2, (view, at) => view.getInt16(at, true)),
    u32: () => value(4, (view, at) => view.getUint32(at, true)),
    i32: () => value(4, (view, at) => view.getInt32(at, true)),
    f32: () => value(4, (view, at) => view.getFloat32(at, true)),
    i64: () => number(value(8, (view, at) => view.getBigInt64(at, true))),
    f64: () => value(8, (view, at) => view.getFloat64(at, true)),
  };
}

/** GGUF's value types by id: the least bytes of one, and how to read it. */
const valueTypes: { bytes: number; read: (cursor: Cursor, depth: number) => unknown }[] = [
  { bytes: 1, read: (cursor) => cursor.u8() },
  { bytes: 1, read: (cursor) => cursor.i8() },
  { bytes: 2, read: (cursor) => cursor.u16() },
  { bytes: 2, read: (cursor) => cursor.i16() },
  { bytes: 4, read: (cursor) => cursor.u32() },
  { bytes: 4, read: (cursor) => cursor.i32() },
  { bytes: 4, read: (cursor) => cursor.f32() },
  { bytes: 1, read: (cursor) => cursor.u8() !== 0 },
  { bytes: 8, read: (cursor) => cursor.string() },
  { bytes: 12, read: readArray },
  { bytes: 8, read: (cursor) => cursor.u64() },
  { bytes: 8, read: (cursor) => cursor.i64() },
  { bytes: 8, read: (cursor) => cursor.f64() },
];

function readValueType(cursor: Cursor) {
  const id = cursor.u32();
  if (id < valueTypes.length) return valueTypes[id];
  throw cursor.fail(`the metadata before byte ${cursor.position()} has unknown type ${id}`);
}

function readArray(cursor: Cursor, depth: number): unknown[] {
  if (depth >= MAX_DEPTH) throw cursor.fail(`its metadata nests lists deeper than ${MAX_DEPTH}`);
  const { bytes, read } = readValueType(cursor);
  const length = cursor.count(bytes, "list elements");
  const list: unknown[] = [];
  for (let i = 0; i < length; i++) list.push(read(cursor, depth + 1));
  return list;
}

function readMetadata(cursor: Cursor, count: number): Record<string, unknown> {
  const entries = new Map<string, unknown>();
  for (let i = 0; i < count; i++) {
    const key = cursor.string();
    if (entries.has(key)) throw cursor.fail(`metadata key "${key}" comes twice`);
    entries.set(key, readValueType(cursor).read(cursor, 0));
  }
  return Object.fromEntries(entries);
}

function readTensorEntry(cursor: Cursor, name: string): GgufEntry {
  const dimensions = cursor.u32();
  if (dimensions > MAX_DIMENSIONS) {
    const found = `found ${dimensions}`;
    throw cursor.fail(`tensor "${name}" must have at most ${MAX_DIMENSIONS} dimensions, ${found}`);
  }
  const sizes = Array.from({ length: dimensions }, cursor.u64);
  const id = cursor.u32();
  const start = cursor.u64();
  const type = ggmlTypes[id];
  if (!type) throw cursor.fail(`tensor "${name}" has an unknown number format, id ${id}`);
  if (!sizes.every((size) => typeof size === "number") || typeof start !== "number") {
    throw cursor.fail(`tensor "${name}" has an impossible size or place`);
  }
  if ((sizes[0] ?? 1) % type.elements !== 0) {
    const wanted = `wanted rows of a multiple of ${type.elements} numbers`;
    throw cursor.fail(`tensor "${name}" is ${type.name} [${sizes.reverse()}], ${wanted}`);
  }
  return { type, dtype: type.name, shape: sizes.reverse(), start };
}

/** Bytes that a tensor takes in the file. */
export function ggufBytes({ type, shape }: Pick<GgufEntry, "type" | "shape">): number {
  return shape.reduce((product, size) => product * size, 1) / type.elements * type.bytes;
}

function checkLayout(
  tensors: Map<string, GgufEntry>,
  { alignment, base, size, fail }: {
    alignment: number;
    base: number;
    size: number;
    fail: Cursor["fail"];
  },
): void {
  let end = base;
  for (const [name, entry] of [...tensors].sort(([, a], [, b]) => a.start - b.start)) {
    if ((entry.start - base) % alignment !== 0 || entry.start < end) {
      const problem = entry.start < end ? "overlaps the tensor before it" : "is not aligned";
      throw fail(`the data of tensor "${name}" at byte ${entry.start} ${problem}`);
    }
    end = entry.start + ggufBytes(entry);
    if (end > size) {
      throw fail(`tensor "${name}" ends at byte ${end}, the file at ${size}; it was cut short`);
    }
  }
}
