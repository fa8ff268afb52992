import { resolve } from "node:path";

/** A path without links where something stands there, else made absolute: for comparing paths. */
export async function realPath(path: string): Promise<string> {
  return await Deno.realPath(path).catch(() => resolve(path));
}
