import { UserError } from "../lib/errors.ts";

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

/** What a function tells the user by the {@link UserError} that it throws. */
export function userMessage(run: () => unknown): string {
  const error = thrownBy(run);
  if (error instanceof UserError) return error.message;
  throw error;
}
