/** How far apart two numbers may be: |actual - expected| <= absolute + relative * |expected|. */
export type CloseOptions = { absolute?: number; relative?: number; message?: string };

/** Asserts that numbers, or arrays of them, agree; NaN agrees with nothing. */
export function assertClose(
  actual: number | ArrayLike<number>,
  expected: number | ArrayLike<number>,
  { absolute = 0, relative = 0, message = "" }: CloseOptions = {},
): void {
  const [a, e] = [actual, expected].map((x) => typeof x === "number" ? [x] : x);
  if (a.length !== e.length) throw new Error(`${message} ${a.length} numbers, wanted ${e.length}`);
  for (let i = 0; i < a.length; i++) {
    if (a[i] === e[i]) continue;
    const bound = absolute + relative * Math.abs(e[i]);
    if (!(Math.abs(a[i] - e[i]) <= bound)) {
      throw new Error(`${message} [${i}] is ${a[i]}, wanted ${e[i]} within ${bound}`);
    }
  }
}

/** The norm of a difference over the norm of what was wanted: how far two tensors are apart. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0, norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    norm += expected[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}
