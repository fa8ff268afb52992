import type { Progress } from "./progress.ts";
import type { ScriptIo } from "./run_script.ts";

/** Progress of a file whose size is known once its first bytes are written. */
export function bytesProgress(label: string, io: ScriptIo) {
  let progress: Progress | undefined;
  return {
    update({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }): void {
      progress ??= io.progress({ label, total: totalBytes, unit: "bytes" });
      progress.update({ done: doneBytes });
    },
    end: () => progress?.end(),
  };
}
