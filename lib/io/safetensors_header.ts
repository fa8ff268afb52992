import { UserError } from "../errors.ts";
import type { ByteFile } from "./byte_file.ts";

/** Where one tensor lies in a safetensors file; `start` and `end` count from the file's beginning. */
export type SafetensorsEntry = { dtype: string; shape: number[]; start: number; end: number };
/** What a safetensors file says about itself. */
export type SafetensorsHeader = {
  tensors: Map<string, SafetensorsEntry>;
  metadata: Record<string, string>;
};

/** The format's own limit (100 MB). */
const MAX_HEADER_BYTES = 100_000_000;
const MAX_DIMENSIONS = 16;

const bytesPerElement: Record<string, number> = {
  ...{ BOOL: 1, U8: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1, F8_E8M0: 1 },
  ...{ U16: 2, I16: 2, F16: 2, BF16: 2 },
  ...{ U32: 4, I32: 4, F32: 4, U64: 8, I64: 8, F64: 8, C64: 8 },
};

/**
 * Reads and checks a safetensors header; nothing in it is used before sizes, offsets and names
 * agree with each other and with the file.
 *
 * **Source**: the format's specification, https://huggingface.co/docs/safetensors: eight bytes of
 * header length, JSON, then the data, in which tensors follow each other without gap or overlap.
 *
 * @throws {UserError} Where the file breaks a rule of the format.
 */
export function readSafetensorsHeader(file: ByteFile): SafetensorsHeader {
  const fail = failer(file.path);
  if (file.size < 8) throw fail(`it has ${file.size} bytes, a safetensors file has at least 8`);
  const length = Number(new DataView(file.read(0, 8).buffer).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || length > file.size - 8) {
    const limit = Math.min(MAX_HEADER_BYTES, file.size - 8);
    throw fail(`its header claims ${length} bytes, at most ${limit} are possible`);
  }
  const { __metadata__: metadata = {}, ...entries } = parseObject(file.read(8, length), fail);
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [name, entry] of Object.entries(entries)) {
    tensors.set(name, checkEntry(entry, { fail: failer(file.path, name), base: 8 + length }));
  }
  checkLayout(tensors, { path: file.path, base: 8 + length, size: file.size });
  if (!isObject(metadata) || Object.values(metadata).some((value) => typeof value !== "string")) {
    throw fail("__metadata__ must map names to strings");
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

type Fail = (reason: string) => UserError;

function failer(path: string, tensor?: string): Fail {
  const subject = tensor === undefined ? "" : `tensor ${JSON.stringify(tensor)}: `;
  return (reason) =>
    new UserError(`Cannot read "${path}": ${subject}${reason}`, { path, field: tensor });
}

function parseObject(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw fail("its header must be a JSON object; this is no safetensors file, or it is damaged");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function checkEntry(entry: unknown, { fail, base }: { fail: Fail; base: number }) {
  if (!isObject(entry)) throw fail("its description must be an object");
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string" || !Object.hasOwn(bytesPerElement, dtype)) {
    const known = Object.keys(bytesPerElement).join(", ");
    throw fail(`dtype must be one of ${known}, found ${JSON.stringify(dtype)}`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize) || shape.length > MAX_DIMENSIONS) {
    const wanted = `at most ${MAX_DIMENSIONS} whole numbers of 0 or more`;
    throw fail(`shape must be ${wanted}, found ${JSON.stringify(shape)}`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw fail(`data_offsets must be [begin, end], found ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets as number[];
  const bytes = shape.reduce((product, size) => product * size, bytesPerElement[dtype]);
  if (end - begin !== bytes) {
    const needed = `${dtype} [${shape}] needs ${bytes} bytes`;
    throw fail(`${needed}, data_offsets [${begin}, ${end}] hold ${end - begin}`);
  }
  return { dtype, shape: shape as number[], start: base + begin, end: base + end };
}

function checkLayout(
  tensors: Map<string, SafetensorsEntry>,
  { path, base, size }: { path: string; base: number; size: number },
): void {
  let expected = base;
  const inOrder = [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  for (const [name, { start, end }] of inOrder) {
    if (start !== expected) {
      const problem = start < expected ? "overlaps the tensor before it" : "leaves a gap before it";
      throw failer(path, name)(`its data ${problem} (begins at ${start}, wanted ${expected})`);
    }
    if (end > size) {
      const reason = `its data end at byte ${end}, the file at ${size}; it was not copied whole`;
      throw failer(path, name)(reason);
    }
    expected = end;
  }
  if (expected !== size) {
    throw failer(path)(`its tensors end at byte ${expected}, the file at ${size}`);
  }
}
