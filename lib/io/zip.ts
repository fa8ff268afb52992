import { crc32, inflateRawSync } from "node:zlib";
import { UserError } from "../errors.ts";
import type { ByteFile } from "./byte_file.ts";

/** One file of a zip archive: `start` and `storedBytes` say where its (deflated) content lies. */
export type ZipEntry = {
  name: string;
  deflated: boolean;
  start: number;
  storedBytes: number;
  bytes: number;
  crc32: number;
};

const CENTRAL_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_SIGNATURE = 0x06054b50;
const MAX_COMMENT_BYTES = 65_535;
const DEFLATED = 8;

/**
 * Reads a zip archive's list of contents.
 *
 * **Source**: PKWARE's APPNOTE.TXT 6.3; no encryption, no archive of 4 GiB or more (zip64).
 *
 * @returns The entries by name.
 * @throws {UserError} Where the file is no zip archive, is damaged, or needs what is left out here.
 */
export function readZipEntries(file: ByteFile): Map<string, ZipEntry> {
  const fail = failer(file.path);
  const { count, start, length } = readEnd(file);
  if (start + length > file.size) throw fail("its list of contents lies outside the file");
  const directory = new DataView(file.read(start, length).buffer);
  const entries = new Map<string, ZipEntry>();
  for (let i = 0, at = 0; i < count; i++) {
    if (at + 46 > length || directory.getUint32(at, true) !== CENTRAL_SIGNATURE) {
      throw fail("its list of contents is damaged");
    }
    const nameBytes = directory.getUint16(at + 28, true);
    const next = at + 46 + nameBytes + directory.getUint16(at + 30, true) +
      directory.getUint16(at + 32, true);
    if (next > length) throw fail("its list of contents is damaged");
    const name = new TextDecoder().decode(new Uint8Array(directory.buffer, at + 46, nameBytes));
    if (entries.has(name)) throw fail(`it holds "${name}" twice`);
    const header = new DataView(directory.buffer, at, 46);
    entries.set(name, readEntry(file, { name, header }));
    at = next;
  }
  const stored = [...entries.values()].reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  if (stored > file.size) throw fail("its entries overlap");
  return entries;
}

/**
 * Reads one entry whole, inflated where need be, its checksum compared.
 *
 * @throws {UserError} Where its content doesn't agree with its size or checksum.
 */
export function readZipEntry(file: ByteFile, entry: ZipEntry): Uint8Array<ArrayBuffer> {
  const fail = failer(file.path);
  let content = file.read(entry.start, entry.storedBytes);
  if (entry.deflated) {
    try {
      content = new Uint8Array(inflateRawSync(content, { maxOutputLength: entry.bytes + 1 }));
    } catch {
      throw fail(`the content of "${entry.name}" is damaged`);
    }
  }
  if (content.length !== entry.bytes || crc32(content) !== entry.crc32) {
    throw fail(`the content of "${entry.name}" doesn't match its checksum; it is damaged`);
  }
  return content;
}

/**
 * Packs files into a zip archive without compression; each content begins at a multiple of
 * `alignment`, so that it can be mapped into memory. The same input gives the same bytes.
 *
 * @returns The archive in pieces, in order.
 */
export function packZip(
  files: readonly (readonly [name: string, content: Uint8Array])[],
  { alignment }: { alignment: number },
): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let end = 0;
  for (const [name, content] of files) {
    const nameBytes = new TextEncoder().encode(name);
    const shared = sharedFields(nameBytes, content);
    const unpadded = end + 30 + nameBytes.length + 4;
    const padding = Math.ceil(unpadded / alignment) * alignment - unpadded;
    const extra = paddingField(padding);
    const local = record(LOCAL_SIGNATURE, [...shared, [2, extra.length]]);
    const rest: Field[] = [[2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, end]];
    directory.push(record(CENTRAL_SIGNATURE, [[2, 20], ...shared, ...rest]), nameBytes);
    pieces.push(local, nameBytes, extra, content);
    end = unpadded + padding + content.length;
  }
  const directoryBytes = directory.reduce((sum, piece) => sum + piece.length, 0);
  if (end + directoryBytes >= 2 ** 32) throw new RangeError("A zip archive ends before 4 GiB");
  const count = files.length;
  const last: Field[] = [[2, 0], [2, 0], [2, count], [2, count], [4, directoryBytes], [4, end]];
  return [...pieces, ...directory, record(END_SIGNATURE, [...last, [2, 0]])];
}

type Field = [bytes: 2 | 4, value: number];

function record(signature: number, fields: Field[]): Uint8Array {
  const all: Field[] = [[4, signature], ...fields];
  const view = new DataView(new ArrayBuffer(all.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of all) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

/** What the local header and the directory say alike: version, UTF-8, stored, no date, sizes. */
function sharedFields(name: Uint8Array, content: Uint8Array): Field[] {
  const sizes: Field[] = [[4, crc32(content)], [4, content.length], [4, content.length]];
  return [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 0], ...sizes, [2, name.length]];
}

/** An extra field "FB" as PyTorch's own writer pads with. */
function paddingField(padding: number): Uint8Array {
  const field = new Uint8Array(4 + padding).fill(0x5a);
  field.set([0x46, 0x42, padding & 255, padding >> 8]);
  return field;
}

function failer(path: string): (reason: string) => UserError {
  return (reason) => new UserError(`Cannot read "${path}": ${reason}`, { path });
}

function readEnd(file: ByteFile): { count: number; start: number; length: number } {
  const fail = failer(file.path);
  const tail = Math.min(file.size, 22 + MAX_COMMENT_BYTES);
  const view = new DataView(file.read(file.size - tail, tail).buffer);
  for (let at = tail - 22; at >= 0; at--) {
    if (view.getUint32(at, true) !== END_SIGNATURE) continue;
    const count = view.getUint16(at + 10, true);
    const length = view.getUint32(at + 12, true);
    const start = view.getUint32(at + 16, true);
    if (start === 0xffffffff || count === 0xffff) throw fail("zip64 archives can't be read");
    return { count, start, length };
  }
  throw fail("it is no zip archive, or it was cut short");
}

function readEntry(
  file: ByteFile,
  { name, header }: { name: string; header: DataView },
): ZipEntry {
  const fail = failer(file.path);
  const method = header.getUint16(10, true);
  const encrypted = (header.getUint16(8, true) & 1) !== 0;
  const [storedBytes, bytes, place] = [20, 24, 42].map((at) => header.getUint32(at, true));
  if (encrypted || (method !== 0 && method !== DEFLATED)) {
    const found = encrypted ? "encrypted" : `compressed by method ${method}`;
    throw fail(`"${name}" must be stored or deflated, found ${found}`);
  }
  if (place + 30 > file.size) throw fail(`"${name}" lies outside the file`);
  const local = new DataView(file.read(place, 30).buffer);
  const start = place + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (local.getUint32(0, true) !== LOCAL_SIGNATURE || start + storedBytes > file.size) {
    throw fail(`"${name}" lies outside the file, or its header is damaged`);
  }
  if (method === 0 && bytes !== storedBytes) throw fail(`the size of "${name}" is damaged`);
  return {
    name,
    deflated: method === DEFLATED,
    start,
    storedBytes,
    bytes,
    crc32: header.getUint32(16, true),
  };
}
