import { writeFileAtomic } from "../../lib/io/write_atomic.ts";
import type { ScriptIo } from "./run_script.ts";

/** Puts result lines where the user wants them: into a file, which is complete or absent, or out. */
export async function printOrWrite(
  lines: string[],
  output: string | undefined,
  io: ScriptIo,
): Promise<void> {
  if (output === undefined) return io.print(lines.join("\n"));
  await writeFileAtomic(output, lines.join("\n") + "\n");
  io.note(`Wrote ${lines.length} lines to ${output}`);
}
