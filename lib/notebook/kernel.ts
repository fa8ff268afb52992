import type { MimeBundle } from "./figure.ts";

/** Sends a message to the notebook's page. */
export type Broadcast = typeof Deno.jupyter.broadcast;

/** The kernel's way to the page. Throws a clear error elsewhere. */
export function kernelBroadcast(): Broadcast {
  try {
    return Deno.jupyter.broadcast;
  } catch (cause) {
    throw new Error("There is no notebook to show this in: it needs Deno's Jupyter kernel", {
      cause,
    });
  }
}

/** Shows something under the running cell, and returns what replaces it there. */
export async function showBundle(
  bundle: MimeBundle,
  broadcast: Broadcast = kernelBroadcast(),
): Promise<(next: MimeBundle) => Promise<void>> {
  const display_id = `dpo-kit-${++shown}`;
  const send = (type: string, data: MimeBundle) =>
    broadcast(type, { data, metadata: {}, transient: { display_id } });
  await send("display_data", bundle);
  return (next) => send("update_display_data", next);
}

let shown = 0;

/**
 * Waits until what was sent is out: the kernel answers before, and would call the cell done, so that
 * the page might put it under the next one.
 */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
