import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { UserError } from "../../lib/errors.ts";
import { openByteFile } from "../../lib/io/byte_file.ts";
import { packZip, readZipEntries, type ZipEntry } from "../../lib/io/zip.ts";
import { unpackEntry } from "../../lib/setup/unpack_entry.ts";
import { assert, assertEquals } from "../../lib/std.ts";

const content = Uint8Array.from({ length: 5_000_000 }, (_, i) => (i * i) >> 7);
const packed = new Uint8Array(deflateRawSync(content));
const whole: ZipEntry = {
  name: "lib.so",
  deflated: true,
  start: 3,
  storedBytes: packed.length,
  bytes: content.length,
  crc32: crc32(content),
};

/** An archive that holds nothing but three bytes and the entry's. */
async function archiveOf(bytes: Uint8Array) {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "archive");
  await Deno.writeFile(path, new Uint8Array([1, 2, 3, ...bytes]));
  const target = join(folder, "lib.so");
  const names = () => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  return { folder, path, target, names };
}

Deno.test("unpackEntry() writes the content and counts its bytes", async () => {
  const { folder, path, target, names } = await archiveOf(packed);
  using archive = openByteFile(path);
  let counted = 0;
  await unpackEntry(archive, whole, { target, onBytes: (count) => counted += count });
  assertEquals(counted, content.length);
  assertEquals(crc32(await Deno.readFile(target)), whole.crc32);
  assertEquals(names(), ["archive", "lib.so"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("unpackEntry() writes stored entries, too", async () => {
  const { folder, target } = await archiveOf(new Uint8Array());
  const path = join(folder, "stored.zip");
  const pieces = packZip([["a.txt", new TextEncoder().encode("hello")]], { alignment: 1 });
  await Deno.writeFile(path, new Uint8Array(pieces.flatMap((piece) => [...piece])));
  using archive = openByteFile(path);
  await unpackEntry(archive, readZipEntries(archive).get("a.txt")!, { target });
  assertEquals(await Deno.readTextFile(target), "hello");
  await Deno.remove(folder, { recursive: true });
});

const flipped = packed.slice();
flipped[packed.length >> 1] ^= 0x55;
const damages: Record<string, [Uint8Array, ZipEntry]> = {
  "a flipped byte": [flipped, whole],
  "a wrong checksum": [packed, { ...whole, crc32: 1 }],
  "a wrong size": [packed, { ...whole, bytes: content.length + 1 }],
  "a deflated stream that ends early": [packed, { ...whole, storedBytes: packed.length >> 1 }],
  "an archive that ends early": [packed.slice(0, 1000), whole],
};
for (const [name, [bytes, entry]] of Object.entries(damages)) {
  Deno.test(`unpackEntry() refuses ${name} and leaves nothing behind`, async () => {
    const { folder, path, target, names } = await archiveOf(bytes);
    using archive = openByteFile(path);
    const error = await unpackEntry(archive, entry, { target }).catch((error) => error);
    assert(error instanceof UserError, Deno.inspect(error));
    assert(error.message.startsWith(`Cannot `) && error.message.includes(path), error.message);
    assertEquals(names(), ["archive"]);
    await Deno.remove(folder, { recursive: true });
  });
}
