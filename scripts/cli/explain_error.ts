import { UsageError, UserError } from "../../lib/errors.ts";
import { explainDenied, type ExplainDeniedOptions } from "./explain_denied.ts";
import { isMisplaced } from "./place.ts";

/** What a failed script prints and exits with. */
export type Explanation = { message: string; exitCode: 1 | 2 };

/** Says in words why a script ended, and what would mend it where that is known. */
export function explainError(error: unknown, options: ExplainDeniedOptions): Explanation {
  const denied = causes(error).find((cause) => cause instanceof Deno.errors.NotCapable);
  if (denied) return { message: explainDenied(denied.message, options), exitCode: 1 };
  if (error instanceof UsageError) return { message: error.message, exitCode: 2 };
  if (error instanceof UserError) {
    const where = isMisplaced() ? "\nThis is not dpo-kit's folder, where its scripts are run." : "";
    return { message: error.message + where, exitCode: 1 };
  }
  const full = causes(error).find((cause) => (cause as { code?: string }).code === "ENOSPC");
  if (full) {
    const message =
      `Cannot go on: the disk is full (${full.message}); free some space and run the ` +
      "same command again";
    return { message, exitCode: 1 };
  }
  if (causes(error).some(({ message }) => outOfMemory.test(message))) {
    const message = "Cannot go on: memory ran out; run again with a smaller --batch_size, 2 or 1 " +
      "(in training, more --gradient_accumulation_steps make up for it, and " +
      "--gradient_checkpointing saves more)";
    return { message, exitCode: 1 };
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { message: `Unexpected error: ${text} (--debug shows where it arose)`, exitCode: 1 };
}

/** What TensorFlow, WebAssembly, WebGPU and JavaScript say when no memory is left. */
const outOfMemory =
  /\bOOM\b|out of memory|bad_alloc|memory access out of bounds|allocat\w+ (failed|memory)/i;

/** An error, what caused it, what caused that. */
function causes(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : [];
}
