import { UserError } from "../errors.ts";
import type { TensorSource } from "../types.ts";

/**
 * Makes a {@link TensorSource} out of a file's directory and a way to read one entry.
 *
 * @param path The file, for messages.
 * @param entries Tensor name to whatever `read` needs, in file order.
 */
export function tensorSource<Entry extends { shape: number[] }>(
  path: string,
  entries: Map<string, Entry>,
  { read, close }: {
    read: (
      entry: Entry,
      name: string,
      buffer?: ArrayBuffer,
    ) => Float32Array | Promise<Float32Array>;
    close: () => void;
  },
): TensorSource {
  const find = (name: string) => {
    const entry = entries.get(name);
    if (entry) return entry;
    throw new UserError(`Cannot read "${path}": it has no tensor "${name}"`, { path, field: name });
  };
  return {
    names: () => [...entries.keys()],
    has: (name) => entries.has(name),
    shape: (name) => [...find(name).shape],
    read: (name, buffer) => Promise.try(() => read(find(name), name, buffer)),
    close,
  };
}

/** Room for so many numbers: in `buffer`, or a new array where it is too small. */
export function roomFor(count: number, buffer?: ArrayBuffer): Float32Array {
  return buffer && buffer.byteLength >= 4 * count
    ? new Float32Array(buffer, 0, count)
    : new Float32Array(count);
}
