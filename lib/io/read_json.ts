import { UserError } from "../errors.ts";
import { fileError } from "./file_error.ts";

/**
 * Reads a JSON file that must hold an object.
 *
 * @throws {UserError} Where the file can't be read, is not JSON, or holds something else.
 */
export async function readJsonObject(path: string): Promise<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw fileError(error, { action: "read", path });
    throw new UserError(`Cannot parse "${path}" as JSON: ${error.message}`, { path, cause: error });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  const found = value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  throw new UserError(`Cannot use "${path}": wanted a JSON object, found ${found}`, { path });
}
