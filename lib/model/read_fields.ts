import { z } from "zod";
import { UserError } from "../errors.ts";

export const count = z.number().int().positive();

/** Reads the fields that a schema names; others are passed over. */
export function readFields<T extends z.ZodType>(
  schema: T,
  json: unknown,
  path: string,
): z.infer<T> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues, field = issue.path.join(".");
  throw new UserError(`Cannot read the config of "${path}": "${field}": ${issue.message}`, {
    path,
    field,
  });
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
