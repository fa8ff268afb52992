import { UserError } from "../errors.ts";
import type { Rows, TensorSource } from "../types.ts";

/** What a source knows of a tensor without reading it. */
export type TensorEntry = { shape: number[]; dtype: string };
/** Which numbers of a tensor are read, and where to. */
export type ReadRequest = { name: string; buffer?: ArrayBuffer; rows: Rows };

/**
 * Makes a {@link TensorSource} out of a file's directory and a way to read one entry.
 *
 * @param path The file, for messages.
 * @param entries Tensor name to whatever `read` needs, in file order.
 */
export function tensorSource<Entry extends TensorEntry>(
  path: string,
  entries: Map<string, Entry>,
  { read, close }: {
    read: (entry: Entry, request: ReadRequest) => Float32Array | Promise<Float32Array>;
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
    dtype: (name) => find(name).dtype,
    read: (name, buffer, rows) =>
      Promise.try(() => {
        const entry = find(name);
        return read(entry, { name, buffer, rows: rows ?? { first: 0, end: rowsOf(entry.shape) } });
      }),
    close,
  };
}

/** Rows of a tensor: a number alone, and a tensor without axes, is one. */
const rowsOf = (shape: number[]) => shape[0] ?? 1;

/** Numbers of a tensor. */
export const countOf = (shape: number[]) => shape.reduce((product, size) => product * size, 1);

/** Numbers of one row: what the first axis counts. */
export const rowLength = (shape: number[]) => countOf(shape.slice(1));

/** Room for so many numbers: in `buffer`, or a new array where it is too small. */
export function roomFor(count: number, buffer?: ArrayBuffer): Float32Array {
  return buffer && buffer.byteLength >= 4 * count
    ? new Float32Array(buffer, 0, count)
    : new Float32Array(count);
}

/** Most numbers that {@link readInPieces} has in memory, if a row isn't longer. */
const PIECE = 2 ** 21;

/**
 * Reads a tensor some rows at a time, so that memory doesn't grow with it. A piece is gone when the
 * next one is asked for.
 */
export async function* readInPieces(
  source: TensorSource,
  name: string,
): AsyncGenerator<Float32Array> {
  const shape = source.shape(name), rows = rowsOf(shape);
  const rowsOfPiece = Math.max(1, Math.floor(PIECE / Math.max(1, rowLength(shape))));
  const buffer = new ArrayBuffer(4 * Math.min(rows, rowsOfPiece) * rowLength(shape));
  for (let first = 0; first < rows; first += rowsOfPiece) {
    yield await source.read(name, buffer, { first, end: Math.min(rows, first + rowsOfPiece) });
  }
}
