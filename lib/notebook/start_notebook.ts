import { type BackendName, useBackend } from "../backend/use_backend.ts";
import { UserError } from "../errors.ts";

let isListening = false;
let stop = new AbortController();

/**
 * Makes a notebook's kernel ready, in its first cell: chooses what computes, lets the Stop button
 * abort what listens to {@link stopSignal} instead of killing the kernel, and shows mistakes that a
 * user can mend, and failed assertions, as their message alone.
 *
 * @param options `backend` names what computes; the fastest that runs unless given.
 * @returns What computes, in words.
 * @throws {UserError} when the backend that was asked for can't run here.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startNotebook } from "./start_notebook.ts";
 * assert.match(await startNotebook({ backend: "cpu" }), /^tfjs .* JavaScript on CPU/);
 * ```
 */
export async function startNotebook(
  options: { backend?: BackendName | "auto" } = {},
): Promise<string> {
  shortenMistakes();
  if (!isListening) Deno.addSignalListener("SIGINT", abortWhatListens);
  isListening = true;
  const { version, device } = await useBackend(options);
  return `${version} on ${device}`;
}

/**
 * A signal that the notebook's Stop button aborts: hand it to whatever takes a `signal`. Each press
 * aborts the signals given out until then, so ask for it where work begins.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { stopSignal } from "./start_notebook.ts";
 * assert.equal(stopSignal().aborted, false);
 * ```
 */
export function stopSignal(): AbortSignal {
  return stop.signal;
}

function abortWhatListens(): void {
  stop.abort();
  stop = new AbortController();
}

/** V8 asks this function for an error's `stack`, which is what Deno's kernel prints of it. */
function shortenMistakes(): void {
  const hook = Error as { prepareStackTrace?: (error: Error, calls: unknown[]) => string };
  hook.prepareStackTrace = (error, calls) => {
    const name = error.name.replace(" [ERR_ASSERTION]", ""), message = `${name}: ${error.message}`;
    if (error instanceof UserError || name === "AssertionError") return message;
    return [message, ...calls.map((call) => `    at ${call}`)].join("\n");
  };
}
