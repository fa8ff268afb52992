import { openByteFile } from "../../lib/io/byte_file.ts";
import { sha256File } from "../../lib/io/sha256_file.ts";
import { assertEquals } from "../../lib/std.ts";
import { thrownBy } from "../thrown_by.ts";
import { userError } from "./damage.ts";

Deno.test("openByteFile() says that a file is missing, is a folder, or was cut short", async () => {
  const folder = await Deno.makeTempDir();
  const missing = thrownBy(() => openByteFile(`${folder}/a`));
  assertEquals(missing.message, `Cannot read "${folder}/a": there is no such file or folder`);
  const place = thrownBy(() => openByteFile(folder));
  assertEquals(place.message, `Cannot read "${folder}": it is a folder, wanted a file`);
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, new Uint8Array(10));
  using file = openByteFile(path);
  await Deno.truncate(path, 4);
  const reason = "it is cut short: wanted 8 bytes at 2, the file ends after 10";
  assertEquals(thrownBy(() => file.read(2, 8)).message, `Cannot read "${path}": ${reason}`);
});

const anywhere = await Deno.makeTempFile();
Deno.test({
  name: "openByteFile() says that the permission to read is missing",
  permissions: { read: false },
  fn: () => {
    const reason = "this process was started without that permission; grant it with --allow-read";
    const { message } = thrownBy(() => openByteFile(anywhere));
    assertEquals(message, `Cannot read "${anywhere}": ${reason}`);
  },
});

Deno.test("sha256File() hashes all of a file, piece by piece", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, new Uint8Array(10_000_000));
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(10_000_000));
  assertEquals(await sha256File(path), new Uint8Array(digest).toHex());
  await userError(sha256File(path + ".gone"));
});
