/** Matrices of one shape, one behind the other: where they begin, how they lie, how many there are. */
export type Matrices = [place: number, rowStep: number, columnStep: number, count: number];

/**
 * Products of pairs of matrices, `[rows, inner]` by `[inner, columns]`, each cut into `cuts` parts, as
 * numbers that threads can share. Places are in the backend's memory, in bytes; where one side has
 * fewer matrices, its first follows its last.
 */
type ProductJob = [
  ...a: Matrices,
  ...b: Matrices,
  out: number,
  rows: number,
  columns: number,
  inner: number,
  cuts: number,
];

/** The functions of wasm/kernels.cc. */
export type WasmKernels = { product(...args: number[]): void; productRoom(): number };

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;
/** Parts begin at whole tiles of the kernel's. */
const TILE = 8;

/** Lets the kernels of wasm/kernels.cc work in a memory. */
export function kernelsOn(memory: WebAssembly.Memory, code: WebAssembly.Module): WasmKernels {
  return new WebAssembly.Instance(code, { env: { memory } }).exports as WasmKernels;
}

/** Computes one part of a job; how it is cut changes no number. */
export function productPart(
  { product }: WasmKernels,
  { job, part, room }: { job: ArrayLike<number>; part: number; room: number },
): void {
  const [a, aRow, aColumn, aCount, b, bRow, bColumn, bCount, out, rows, columns, inner, cuts] =
    job as unknown as ProductJob;
  const item = Math.floor(part / cuts), cut = part % cuts;
  const [row, column] = rows > columns ? [edge(rows, cut, cuts), 0] : [0, edge(columns, cut, cuts)];
  const [lastRow, lastColumn] = rows > columns
    ? [edge(rows, cut + 1, cuts), columns]
    : [rows, edge(columns, cut + 1, cuts)];
  product(
    ...[a + FLOAT_BYTES * (item % aCount * rows * inner + row * aRow), aRow, aColumn],
    ...[b + FLOAT_BYTES * (item % bCount * inner * columns + column * bColumn), bRow, bColumn],
    ...[out + FLOAT_BYTES * ((item * rows + row) * columns + column), columns],
    ...[lastRow - row, lastColumn - column, inner, room],
  );
}

/** Where a cut begins. */
function edge(size: number, cut: number, cuts: number): number {
  return Math.min(size, TILE * Math.ceil(size * cut / cuts / TILE));
}
