import { z } from "zod";
import { UserError } from "../errors.ts";
import { describe } from "../io/read_json.ts";

export const count = z.number().int().positive();

/** Reads the fields that a schema names; others are passed over. */
export function readFields<T extends z.ZodType>(
  schema: T,
  json: unknown,
  path: string,
): z.infer<T> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [{ path: keys, message }] = parsed.error.issues, field = keys.join(".");
  const found = describe(keys.reduce<unknown>((value, key) => Object(value)[key], json));
  const wanted = message.replace(/, received \w+$/, ""); // its type alone
  throw new UserError(
    `Cannot read the config of "${path}": "${field}": ${wanted}, found ${found}`,
    { path, field },
  );
}

/** An error that says which field asks for what isn't computed here. */
export function refuseField(
  path: string,
  { field, wanted, found }: { field: string; wanted: string; found: unknown },
): UserError {
  return new UserError(
    `Cannot use the model at "${path}": ${field} must be ${wanted}, found ${JSON.stringify(found)}`,
    { path, field },
  );
}
