import type { Progress } from "./progress.ts";
import type { ScriptIo } from "./run_script.ts";

/** Progress of a file whose size is known once its first bytes are written; in megabytes. */
export function bytesProgress(label: string, io: ScriptIo) {
  let progress: Progress | undefined;
  const megabytes = (bytes: number) => Math.round(bytes / 1e6);
  return {
    update({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }): void {
      progress ??= io.progress({ label, total: megabytes(totalBytes), unit: "MB" });
      progress.update({ done: megabytes(doneBytes) });
    },
    end: () => progress?.end(),
  };
}
