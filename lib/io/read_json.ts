import type { z } from "zod";
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
  throw new UserError(`Cannot use "${path}": wanted a JSON object, found ${describe(value)}`, {
    path,
  });
}

/**
 * Reads a JSON file whose object must fit a schema.
 *
 * @param schema Its messages follow the field's name: "must be a text".
 * @throws {UserError} Where the file can't be read, or the first field that doesn't fit.
 */
export async function readJsonFile<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const json = await readJsonObject(path);
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [{ path: keys, message }] = parsed.error.issues;
  const found = keys.reduce<unknown>((value, key) => Object(value)[key], json);
  const field = keys.join(".");
  throw new UserError(`Cannot use "${path}": "${field}" ${message}, found ${describe(found)}`, {
    path,
    field,
  });
}

/** What an error says was found: a value itself, or what kind of thing it is. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return JSON.stringify(value) ?? "nothing";
}
