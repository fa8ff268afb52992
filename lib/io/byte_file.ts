import { UserError } from "../errors.ts";
import { fileError } from "./file_error.ts";

/** A file that is read in pieces, at any place. */
export interface ByteFile extends Disposable {
  readonly path: string;
  /** Bytes in the file when it was opened. */
  readonly size: number;
  /** Fills `target` with the bytes from `offset` on. */
  readInto(target: Uint8Array, offset: number): void;
  /** Reads `length` bytes from `offset` on. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
  close(): void;
}

const MAX_BYTES_PER_CALL = 2 ** 30;

/**
 * Opens a file for reading in pieces, so that its size never has to fit in memory.
 *
 * @throws {UserError} Where the file can't be read, is a folder, or is shorter than a read asks for.
 */
export function openByteFile(path: string): ByteFile {
  const guarded = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw fileError(error, { action: "read", path });
    }
  };
  const file = guarded(() => Deno.openSync(path));
  const { size, isDirectory } = guarded(() => file.statSync());
  let open = true;
  const close = () => {
    if (open) file.close();
    open = false;
  };
  if (isDirectory) {
    close();
    throw new UserError(`Cannot read "${path}": it is a folder, wanted a file`, { path });
  }

  const readInto = (target: Uint8Array, offset: number) => {
    for (let done = 0; done < target.length;) {
      const part = target.subarray(done, done + MAX_BYTES_PER_CALL);
      const count = guarded(() => {
        file.seekSync(offset + done, Deno.SeekMode.Start);
        return file.readSync(part);
      });
      if (count === null || count === 0) {
        const wanted = `wanted ${target.length} bytes at ${offset}, the file ends after ${size}`;
        throw new UserError(`Cannot read "${path}": it is cut short: ${wanted}`, { path });
      }
      done += count;
    }
  };
  const read = (offset: number, length: number) => {
    const bytes = new Uint8Array(length);
    readInto(bytes, offset);
    return bytes;
  };
  return { path, size, readInto, read, close, [Symbol.dispose]: close };
}
