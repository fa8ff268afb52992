import { dirname } from "node:path";
import { UserError } from "../../lib/errors.ts";
import { formatCount } from "../../lib/format_count.ts";
import { realPath } from "../../lib/io/real_path.ts";
import { writeFileAtomic } from "../../lib/io/write_atomic.ts";
import { tryToWrite } from "../../lib/train/try_to_write.ts";
import type { ScriptIo } from "./run_script.ts";

/** Finds out before the work whether its result can be written to `output`, and over no `input`. */
export async function tryOutput(output: string | undefined, input?: string): Promise<void> {
  if (output === undefined) return;
  if (input !== undefined && await realPath(output) === await realPath(input)) {
    throw new UserError(`Cannot write "${output}": it is the file that is read; name another`, {
      path: output,
    });
  }
  if (await Deno.stat(output).then(({ isDirectory }) => isDirectory, () => false)) {
    throw new UserError(`Cannot write "${output}": it is a folder, wanted a file`, {
      path: output,
    });
  }
  await tryToWrite(dirname(output), output);
}

/** Puts result lines where the user wants them: into a file, which is complete or absent, or out. */
export async function printOrWrite(
  lines: string[],
  output: string | undefined,
  io: ScriptIo,
): Promise<void> {
  if (output === undefined) return io.print(lines.join("\n"));
  await writeFileAtomic(output, lines.join("\n") + "\n");
  io.note(`Wrote ${formatCount(lines.length, "line")} to ${output}`);
}
