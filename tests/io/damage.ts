import fc from "fast-check";
import { UserError } from "../../lib/errors.ts";

/** Bytes replaced at random places, and the file perhaps cut short. */
function damaged(original: Uint8Array): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const change = fc.tuple(fc.nat(original.length - 1), fc.integer({ min: 0, max: 255 }));
  const changes = fc.array(change, { maxLength: 4 });
  const length = fc.oneof(fc.constant(original.length), fc.nat(original.length));
  return fc.tuple(changes, length).map(([list, end]) => {
    const bytes = Uint8Array.from(original);
    for (const [at, value] of list) bytes[at] = value;
    return bytes.slice(0, end);
  });
}

/**
 * Holds a reader to its promise: whatever happened to a file, it is read or refused with a
 * {@link UserError}, in little time and memory.
 */
export async function survivesDamage(
  original: Uint8Array,
  read: (path: string) => Promise<unknown>,
): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await fc.assert(
      fc.asyncProperty(damaged(original), async (bytes) => {
        await Deno.writeFile(path, bytes);
        const start = performance.now();
        await read(path).catch((error) => {
          if (!(error instanceof UserError)) throw error;
        });
        return performance.now() - start < 2000;
      }),
      { numRuns: 400 },
    );
  } finally {
    await Deno.remove(path);
  }
}

/** The error that a promise ends in; fails where it ends in none or in one that is not the user's. */
export async function userError(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(() => undefined, (reason) => reason);
  if (error instanceof UserError) return error;
  throw new Error("wanted a UserError", { cause: error ?? "nothing was thrown" });
}
