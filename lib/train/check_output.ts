import { join, relative, sep } from "node:path";
import { UserError } from "../errors.ts";
import { realPath } from "../io/real_path.ts";

/**
 * Refuses an output folder whose `final_model` or checkpoints are what the run reads: writing them
 * would destroy the model that it trains on.
 *
 * @throws {UserError} when one of `reads` is in the way.
 */
export async function checkOutput(outputDir: string, reads: string[]): Promise<void> {
  const output = await realPath(outputDir);
  for (const path of reads) {
    const [name] = relative(output, await realPath(path)).split(sep);
    if (!/^(final_model|checkpoint_(epoch|step)_\d+)$/.test(name)) continue;
    throw new UserError(
      `Cannot train into "${outputDir}": this run reads "${path}", and would write over ` +
        `"${join(outputDir, name)}"; name another --output_dir`,
      { path: outputDir, field: "output_dir" },
    );
  }
}
