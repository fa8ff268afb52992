import { basename, join } from "node:path";
import { UserError } from "../../lib/errors.ts";
import { fileError } from "../../lib/io/file_error.ts";
import { removeLeftovers, writeFileAtomic, writeFolderAtomic } from "../../lib/io/write_atomic.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { userError } from "./damage.ts";

const namesIn = (folder: string) => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
const write = (folder: string, text: string) => () => Deno.writeTextFile(join(folder, "a"), text);
const fill = (text: string) => (folder: string) => write(folder, text)();

Deno.test("writeFileAtomic() makes the folders above it and writes text, bytes or pieces", async () => {
  const path = join(await Deno.makeTempDir(), "new", "folder", "file");
  const pieces = async (put: (bytes: Uint8Array) => Promise<void>) => {
    await put(Uint8Array.of(97));
    await put(Uint8Array.of(98));
  };
  for (const content of ["ab", new TextEncoder().encode("ab"), pieces]) {
    await writeFileAtomic(path, content);
    assertEquals(await Deno.readTextFile(path), "ab");
    await Deno.remove(path);
  }
});

Deno.test("writeFileAtomic() shows the old content until the new is whole", async () => {
  const path = join(await Deno.makeTempDir(), "file");
  await writeFileAtomic(path, "old");
  await writeFileAtomic(path, async (put) => {
    await put(Uint8Array.of(1));
    assertEquals(await Deno.readTextFile(path), "old");
  });
  const failing = writeFileAtomic(path, () => Promise.reject(new Error("stopped")));
  assertEquals(await failing.catch((error) => error.message), "stopped");
  assertEquals([...await Deno.readFile(path)], [1]);
  assertEquals(namesIn(join(path, "..")), ["file"]);
});

Deno.test("writeFolderAtomic() replaces a folder as a whole", async () => {
  const path = join(await Deno.makeTempDir(), "model") + "/";
  await writeFolderAtomic(path, async (folder) => {
    await Deno.writeTextFile(join(folder, "b"), "old");
    await Deno.mkdir(join(folder, "sub"));
  });
  await writeFolderAtomic(path, fill("new"));
  assertEquals(namesIn(path), ["a"]);
  assertEquals(namesIn(join(path, "..")), ["model"]);
});

Deno.test("writeFolderAtomic() leaves the old folder when filling fails", async () => {
  const path = join(await Deno.makeTempDir(), "model");
  await writeFolderAtomic(path, fill("old"));
  const failing = writeFolderAtomic(path, async (folder) => {
    await fill("new")(folder);
    throw new Error("stopped");
  });
  assertEquals(await failing.catch((error) => error.message), "stopped");
  assertEquals(await Deno.readTextFile(join(path, "a")), "old");
  assertEquals(namesIn(join(path, "..")), ["model"]);
});

Deno.test("writeFolderAtomic() survives a kill at any moment", async () => {
  const script = `import { writeFolderAtomic } from ${
    JSON.stringify(new URL("../../lib/io/write_atomic.ts", import.meta.url).href)
  };
  for (let i = 0;; i++) {
    await writeFolderAtomic(Deno.args[0], async (folder) => {
      for (const name of ["a", "b"]) await Deno.writeTextFile(folder + "/" + name, String(i));
    });
    if (i === 0) console.log("first");
  }`;
  const folder = await Deno.makeTempDir();
  const [file, path] = [join(folder, "script.ts"), join(folder, "model")];
  await Deno.writeTextFile(file, script);
  for (let round = 0; round < 5; round++) {
    const args = ["run", "-q", "--no-check", "-A", file, path];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    await child.stdout.getReader().read();
    await new Promise((resolve) => setTimeout(resolve, 7 * round));
    child.kill("SIGKILL");
    await child.status;
    await removeLeftovers(path);
    assertEquals(namesIn(folder), ["model", "script.ts"]);
    const [a, b] = ["a", "b"].map((name) => Deno.readTextFileSync(join(path, name)));
    assert(a === b && a !== "", `torn: "${a}" and "${b}"`);
  }
});

Deno.test("removeLeftovers() brings back a folder whose replacement was cut short", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "model");
  for (const name of ["model.7-3.old", "model.7-3.tmp", "model.7-3", "other.7-3.tmp"]) {
    await Deno.mkdir(join(folder, name));
    await Deno.writeTextFile(join(folder, name, "a"), name);
  }
  await removeLeftovers(path);
  assertEquals(await Deno.readTextFile(join(path, "a")), "model.7-3.old");
  assertEquals(namesIn(folder), ["model", "model.7-3", "other.7-3.tmp"]);
});

Deno.test("removeLeftovers() leaves alone what this process is writing", async () => {
  const path = join(await Deno.makeTempDir(), "model");
  await writeFolderAtomic(path, async (folder) => {
    await removeLeftovers(path);
    await fill("kept")(folder);
  });
  assertEquals(await Deno.readTextFile(join(path, "a")), "kept");
});

Deno.test("writeFolderAtomic() refuses a file's name and a place without a name", async () => {
  const path = join(await Deno.makeTempDir(), "file");
  await Deno.writeTextFile(path, "");
  const { message } = await userError(writeFolderAtomic(path, fill("")));
  assertEquals(message, `Cannot write "${path}": it is a file, wanted a folder`);
  for (const place of [".", "..", "/", "a/.."]) {
    const error = await userError(writeFolderAtomic(place, fill("")));
    assertEquals(error.message, `Cannot write "${place}": wanted a name for it, found a place`);
  }
});

const blocked = await Deno.makeTempDir();
Deno.test({
  name: "writeFileAtomic() says which permission is missing",
  permissions: { read: true, write: false },
  fn: async () => {
    const { message } = await userError(writeFileAtomic(join(blocked, "file"), ""));
    const reason = "this process was started without that permission; grant it with --allow-write";
    assertEquals(message, `Cannot write "${join(blocked, "file")}": ${reason}`);
  },
});

Deno.test("writeFileAtomic() says where a file stands in the way of a folder", async () => {
  const path = join(await Deno.makeTempDir(), "file");
  await Deno.writeTextFile(path, "");
  const { message } = await userError(writeFileAtomic(join(path, "b"), ""));
  assertEquals(message, `Cannot write "${path}/b": a file stands where a folder is needed`);
});

Deno.test("fileError() says that the disk is full", () => {
  // What Deno throws for /dev/full, which it opens only to a process with all permissions.
  const full = Object.assign(new Error("No space left on device (os error 28)"), {
    code: "ENOSPC",
  });
  const error = fileError(full, { action: "write", path: "models/a" });
  assert(error instanceof UserError);
  const reason = "the disk is full; free some space or choose another folder";
  assertEquals(error.message, `Cannot write "models/a": ${reason}`);
  assertEquals(basename(error.path!), "a");
});
