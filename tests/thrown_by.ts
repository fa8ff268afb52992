/** The error that a function throws; a function that throws none is itself the failure. */
export function thrownBy(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`threw ${error}, which is no Error`);
  }
  throw new Error("threw nothing");
}
