import * as tf from "@tensorflow/tfjs";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import { UserError } from "../errors.ts";
import { describeBackend } from "./use_backend.ts";

/** Writes numbers for TensorBoard. */
export type EventWriter = {
  /** One number of a curve; numbers that are not finite are left out. */
  scalar(name: string, value: number, step: number): void;
  /** Brings what was written into the file. */
  flush(): void;
  close(): void;
};

let writers = 0;

/**
 * Opens a TensorBoard event file in a folder, by TensorFlow's own writer. TensorFlow writes past
 * Deno's permissions: ask only for a folder that this process was seen to be allowed to write.
 *
 * **Memory**: holds one handle until `close`; the tensor count is then as before.
 *
 * @throws {UserError} where TensorFlow doesn't compute, for nothing else has the writer.
 */
export function openEventWriter(folder: string): EventWriter {
  const { name } = describeBackend();
  if (name !== "tensorflow") {
    throw new UserError(
      `Cannot write TensorBoard's event files on ${name}: only TensorFlow has their writer; run ` +
        "`deno task setup`, or leave --logging out",
      { field: "logging" },
    );
  }
  const backend = tf.backend() as unknown as NodeJSKernelBackend;
  // Its name is a count, for text of a user must not reach an operation's attribute.
  const handle = backend.summaryWriter(`dpo-kit ${++writers}`);
  tf.tidy(() => backend.createSummaryFileWriter(handle, folder));
  return {
    scalar(name, value, step) {
      if (Number.isFinite(value)) backend.writeScalarSummary(handle, step, name, value);
    },
    flush: () => backend.flushSummaryWriter(handle),
    close() {
      backend.executeMultipleOutputs("CloseSummaryWriter", [], [handle], 0);
      handle.dispose();
    },
  };
}
