import { join } from "node:path";
import { UserError } from "../errors.ts";
import { fileError } from "../io/file_error.ts";

/**
 * Finds out, before work whose result is to be written into a folder, whether that will go, and
 * whether what stands there can be seen again, as an atomic write needs. The folder is made where it
 * is missing.
 *
 * @param folder Where files will go.
 * @param path What the message names, the folder unless given.
 * @throws {UserError} when no file can be written there, or not read back.
 */
export async function tryToWrite(folder: string, path = folder): Promise<void> {
  const probe = join(folder, `writable.${Deno.pid}.tmp`);
  try {
    await writeProbe(folder, probe).catch((error) => {
      throw writeError(error, path);
    });
    await readBack(folder, probe).catch((error) => {
      throw fileError(error, { action: "read", path });
    });
  } finally {
    await Deno.remove(probe).catch(() => {});
  }
}

async function writeProbe(folder: string, probe: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(probe, "a");
}

/** Reads the probe, and the folder's list: a folder's mode may allow the one without the other. */
async function readBack(folder: string, probe: string): Promise<void> {
  await Deno.readTextFile(probe);
  await Array.fromAsync(Deno.readDir(folder));
}

function writeError(error: unknown, path: string): unknown {
  if (!(error instanceof Deno.errors.AlreadyExists)) {
    return fileError(error, { action: "write", path });
  }
  const reason = "a file stands where a folder is needed";
  return new UserError(`Cannot write "${path}": ${reason}`, { path, cause: error });
}
