import { UserError } from "../errors.ts";
import { commandRuns } from "./run_command.ts";

/**
 * Finds a Python that has pip, under the names that systems give it.
 *
 * @param purpose What it is for, as in "Cannot <purpose>".
 * @throws {UserError} where there is none.
 */
export async function findPython(purpose: string): Promise<string> {
  for (const python of ["python3", "python"]) {
    if (await commandRuns(python, ["-m", "pip", "--version"])) return python;
  }
  throw new UserError(`Cannot ${purpose}: wanted python3 or python with pip, found neither`);
}
