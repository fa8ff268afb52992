import { join } from "node:path";
import { UserError } from "../errors.ts";
import { fileError } from "../io/file_error.ts";

/**
 * Finds out, before work whose result is to be written into a folder, whether that will go. The
 * folder is made where it is missing.
 *
 * @param folder Where files will go.
 * @param path What the message names, the folder unless given.
 * @throws {UserError} when no file can be written there.
 */
export async function tryToWrite(folder: string, path = folder): Promise<void> {
  const probe = join(folder, `writable.${Deno.pid}.tmp`);
  try {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(probe, "a");
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      const reason = "a file stands where a folder is needed";
      throw new UserError(`Cannot write "${path}": ${reason}`, { path, cause: error });
    }
    throw fileError(error, { action: "write", path });
  } finally {
    await Deno.remove(probe).catch(() => {});
  }
}
