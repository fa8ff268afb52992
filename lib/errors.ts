/**
 * A mistake that the user can mend: its message says what could not be done, why, what was wanted,
 * what was found and where. Scripts print the message alone and exit with 1.
 */
export class UserError extends Error {
  /** "UserError", for whoever prints it. */
  override name = "UserError";
  /** File or folder that the message is about. */
  readonly path?: string;
  /** Line in that file, counted from 1. */
  readonly line?: number;
  /** Field, tensor or flag that the message is about. */
  readonly field?: string;

  /** Takes the sentence for the user, and where the mistake is. */
  constructor(
    message: string,
    where: { path?: string; line?: number; field?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: where.cause });
    this.path = where.path;
    this.line = where.line;
    this.field = where.field;
  }
}

/** A command typed wrongly: scripts print the message and exit with 2. */
export class UsageError extends UserError {
  /** "UsageError", for whoever prints it. */
  override name = "UsageError";
}
