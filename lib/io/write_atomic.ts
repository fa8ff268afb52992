import { basename, dirname, join } from "node:path";
import { UserError } from "../errors.ts";
import { fileError } from "./file_error.ts";

/** Appends bytes to the file being written. */
export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

/** Temporary names that this process is using right now. */
const inUse = new Set<string>();
let counter = 0;

/**
 * Writes a file so that its name shows either the old content or all of the new: to a temporary
 * name in the same folder, flushed, then renamed. Missing parent folders are made.
 *
 * @param content Bytes, text (UTF-8), or a function that writes piece by piece.
 * @throws {UserError} Where the disk is full or the folder can't be written; nothing is left behind.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeFileAtomic } from "./write_atomic.ts";
 * const path = await Deno.makeTempDir() + "/note.txt";
 * await writeFileAtomic(path, async (write) => await write(new TextEncoder().encode("kept")));
 * await writeFileAtomic(path, () => Promise.reject(new Error("killed"))).catch(() => {});
 * assert.equal(await Deno.readTextFile(path), "kept");
 * ```
 */
export async function writeFileAtomic(
  path: string,
  content: Uint8Array | string | ((write: WriteBytes) => Promise<void>),
): Promise<void> {
  await throughTemporary(path, async (temporary) => {
    using file = await Deno.open(temporary, { write: true, createNew: true });
    const write = (bytes: Uint8Array) => writeAll(file, bytes);
    if (typeof content === "function") await content(write);
    else await write(typeof content === "string" ? new TextEncoder().encode(content) : content);
    await file.sync();
  }, (temporary) => Deno.rename(temporary, path));
}

/**
 * Writes a folder so that it is complete or absent: `fill` writes into a temporary folder beside
 * it, which is flushed and then takes the name. A folder that stood there is replaced; should the
 * process die between the two renames, {@link removeLeftovers} brings the old one back.
 *
 * @throws {UserError} Where the disk is full or the folder can't be written; nothing is left behind.
 */
export async function writeFolderAtomic(
  path: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  await removeLeftovers(path);
  await throughTemporary(path, async (temporary) => {
    await Deno.mkdir(temporary);
    await fill(temporary);
    await flushFolder(temporary);
  }, (temporary) => replaceFolder(temporary, plainName(path)));
}

/**
 * Removes what killed runs left beside `path`, and brings back the folder that one was replacing.
 * No other process may be writing the same `path`.
 */
export async function removeLeftovers(path: string): Promise<void> {
  const target = plainName(path);
  const [folder, name] = [dirname(target), basename(target)];
  try {
    for (const entry of Array.from(Deno.readDirSync(folder)).toSorted(byName)) {
      const leftover = join(folder, entry.name);
      const suffix = entry.name.startsWith(name + ".") ? entry.name.slice(name.length) : "";
      if (!/^\.\d+-\d+\.(tmp|old)$/.test(suffix) || inUse.has(leftover)) continue;
      if (suffix.endsWith(".old") && !await exists(target)) await Deno.rename(leftover, target);
      else await Deno.remove(leftover, { recursive: true });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw fileError(error, { action: "write", path });
  }
}

const byName = (a: Deno.DirEntry, b: Deno.DirEntry) => a.name < b.name ? -1 : 1;

async function throughTemporary(
  path: string,
  fill: (temporary: string) => Promise<void>,
  rename: (temporary: string) => Promise<void>,
): Promise<void> {
  const target = plainName(path);
  const temporary = `${target}.${Deno.pid}-${++counter}.tmp`;
  inUse.add(temporary);
  try {
    if (!await exists(dirname(target))) await Deno.mkdir(dirname(target), { recursive: true });
    await fill(temporary);
    await rename(temporary);
    await flush(dirname(target), { read: true });
  } catch (error) {
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
    throw fileError(error, { action: "write", path });
  } finally {
    inUse.delete(temporary);
  }
}

async function replaceFolder(temporary: string, path: string): Promise<void> {
  if (!await exists(path)) return await Deno.rename(temporary, path);
  if (!(await Deno.stat(path)).isDirectory) {
    throw new UserError(`Cannot write "${path}": it is a file, wanted a folder`, { path });
  }
  const old = temporary.replace(/tmp$/, "old");
  inUse.add(old);
  try {
    await Deno.rename(path, old);
    await Deno.rename(temporary, path).catch(async (error) => {
      await Deno.rename(old, path);
      throw error;
    });
    await Deno.remove(old, { recursive: true });
  } finally {
    inUse.delete(old);
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await file.write(bytes.subarray(done, done + 2 ** 28));
  }
}

async function flushFolder(folder: string): Promise<void> {
  for (const entry of Deno.readDirSync(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) await flushFolder(path);
    else if (entry.isFile) await flush(path, { write: true });
  }
  await flush(folder, { read: true });
}

async function flush(path: string, access: Deno.OpenOptions): Promise<void> {
  // Windows can't open a folder, and flushes a rename by itself.
  if (Deno.build.os === "windows" && access.read) return;
  using file = await Deno.open(path, access);
  await file.sync();
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
}

function plainName(path: string): string {
  const plain = join(path, ".").replace(/(?<=.)[/\\]$/, "");
  if (/^(\.|\.\.|[/\\])$/.test(plain) || plain.endsWith("..")) {
    throw new UserError(`Cannot write "${path}": wanted a name for it, found a place`, { path });
  }
  return plain;
}
