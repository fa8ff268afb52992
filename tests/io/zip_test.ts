import { deflateRawSync } from "node:zlib";
import { openByteFile } from "../../lib/io/byte_file.ts";
import { packZip, readZipEntries, readZipEntry } from "../../lib/io/zip.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { thrownBy } from "../thrown_by.ts";
import { survivesDamage, userError } from "./damage.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function pack(files: [string, string][]): Uint8Array<ArrayBuffer> {
  const pieces = packZip(files.map(([name, text]) => [name, encode(text)]), { alignment: 16 });
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

/** Where `bytes` holds this text. */
const find = (bytes: Uint8Array, text: string) =>
  [...bytes.keys()].find((at) => encode(text).every((byte, i) => bytes[at + i] === byte))!;

async function onDisk(bytes: Uint8Array): Promise<string> {
  const path = await Deno.makeTempFile({ suffix: ".zip" });
  await Deno.writeFile(path, bytes);
  return path;
}

/** Every entry's text. */
async function readAll(path: string): Promise<Record<string, string>> {
  using file = await Promise.try(() => openByteFile(path));
  const entries = [...readZipEntries(file).values()];
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return Object.fromEntries(entries.map((entry) => [entry.name, text(readZipEntry(file, entry))]));
}

/** The same archive with its only file's content deflated. */
function deflated(content: string): Uint8Array<ArrayBuffer> {
  const small = deflateRawSync(encode(content));
  const bytes = pack([["a.txt", String.fromCharCode(...small.map(() => 65))]]);
  const plain = pack([["a.txt", content]]);
  const [local, central] = [0, find(bytes, "PK\x01\x02")];
  bytes.set(small, 48);
  const plainCentral = find(plain, "PK\x01\x02");
  for (const [at, from] of [[local + 14, 14], [central + 16, plainCentral + 16]]) {
    bytes.set(plain.subarray(from, from + 4), at); // checksum
    bytes.set(plain.subarray(from + 8, from + 12), at + 8); // size when inflated
    bytes[at - 6] = 8; // method
  }
  return bytes;
}

Deno.test("packZip() and readZipEntry() are inverse", async () => {
  const files = { "a.txt": "text", "empty": "", "folder/ünï": "more" };
  assertEquals(await readAll(await onDisk(pack(Object.entries(files)))), files);
});

Deno.test("packZip() refuses an archive of 4 GiB, whose places wouldn't fit", () => {
  const huge = Object.defineProperty(new Uint8Array(1), "length", { value: 2 ** 32 - 200 });
  const error = thrownBy(() =>
    packZip([["a", huge], ["b", new Uint8Array(20)]], { alignment: 16 })
  );
  assertEquals([error.name, error.message], ["RangeError", "A zip archive ends before 4 GiB"]);
});

Deno.test("packZip() lays every content at a multiple of the alignment", async () => {
  using file = openByteFile(await onDisk(pack([["a", "1"], ["longer name", "22"], ["b", ""]])));
  assertEquals([...readZipEntries(file).values()].map(({ start }) => start % 16), [0, 0, 0]);
});

Deno.test("readZipEntry() inflates", async () => {
  const content = "again and ".repeat(20);
  assertEquals(await readAll(await onDisk(deflated(content))), { "a.txt": content });
});

Deno.test("readZipEntry() refuses content that isn't what was packed", async () => {
  const bytes = pack([["a.txt", "text"]]);
  bytes[find(bytes, "text")] ^= 1;
  const path = await onDisk(bytes);
  const { message } = await userError(readAll(path));
  const reason = `the content of "a.txt" doesn't match its checksum; it is damaged`;
  assertEquals(message, `Cannot read "${path}": ${reason}`);
  const inflating = deflated("again and ".repeat(20));
  inflating[50] ^= 255;
  const damaged = await userError(readAll(await onDisk(inflating)));
  assert(/the content of "a\.txt"/.test(damaged.message), damaged.message);
});

Deno.test("readZipEntries() says why it refuses an archive", async () => {
  const bytes = pack([["a", "text"], ["b", "more"]]);
  const central = find(bytes, "PK\x01\x02");
  const end = find(bytes, "PK\x05\x06");
  const change = (at: number, ...values: number[]) => {
    const changed = bytes.slice();
    changed.set(values, at);
    return changed;
  };
  const cases: [bytes: Uint8Array, reason: RegExp][] = [
    [encode("text"), /it is no zip archive, or it was cut short/],
    [bytes.subarray(0, -5), /it is no zip archive, or it was cut short/],
    [change(central + 8, 1), /"a" must be stored or deflated, found encrypted/],
    [change(central + 10, 12), /"a" must be stored or deflated, found compressed by method 12/],
    [change(central + 20, 3), /the size of "a" is damaged/],
    [change(central + 42, 255, 255), /"a" lies outside the file$/],
    [change(0, 0), /"a" lies outside the file, or its header is damaged/],
    [change(28, 255, 255), /"a" lies outside the file, or its header is damaged/],
    [change(central + 46, "b".charCodeAt(0)), /it holds "b" twice/],
    [change(end + 10, 3), /its list of contents is damaged/],
    [change(end + 16, 255, 255), /its list of contents lies outside the file/],
    [change(end + 16, 255, 255, 255, 255), /zip64 archives can't be read/],
  ];
  for (const [changed, reason] of cases) {
    const { message } = await userError(readAll(await onDisk(changed)));
    assert(reason.test(message), message);
  }
});

Deno.test("readZipEntries() refuses entries that share their bytes", async () => {
  const bytes = pack([["a", "x".repeat(400)], ["b", "x".repeat(400)]]);
  const central = find(bytes, "PK\x01\x02");
  bytes.set(bytes.subarray(central + 42, central + 46), central + 47 + 42);
  // Two entries of 400 bytes fit into the file; cut out the second content, and they don't.
  const second = [...bytes.keys()].filter((at) => bytes[at] === 80 && bytes[at + 2] === 3)[1];
  const cut = Uint8Array.from([...bytes.subarray(0, second), ...bytes.subarray(central)]);
  new DataView(cut.buffer).setUint32(find(cut, "PK\x05\x06") + 16, second, true);
  const { message } = await userError(readAll(await onDisk(cut)));
  assert(/its entries overlap/.test(message), message);
});

Deno.test("readZipEntries() survives any damage", async () => {
  await survivesDamage(deflated("again and ".repeat(9)), readAll);
});
