import { join, relative } from "node:path";

/** dpo-kit's own folder. */
export const project: string = join(import.meta.dirname!, "../..");

/** Whether this process stands in it: permission sets and defaults count from there. */
export function isInProject(): boolean {
  try {
    return relative(project, Deno.cwd()) === "";
  } catch {
    return true; // it may not ask: then the set is missing, and that is said
  }
}

/** Whether `scripts/dpo.ts` started this process elsewhere: it reads the folder it stands in, not all. */
export function isLaunched(): boolean {
  return !isInProject() && askDeno("read", ".") && !askDeno("read");
}

/** Whether this process was started where its permission set doesn't reach. */
export function isMisplaced(): boolean {
  return !isInProject() && !isLaunched();
}

/** Whether this process may do something of a kind, without asking the user. */
export function askDeno(kind: string, target?: string): boolean {
  const key = kind === "env" ? "variable" : kind === "run" ? "command" : "path";
  const descriptor = { name: kind, [key]: target } as unknown as Deno.PermissionDescriptor;
  return Deno.permissions.querySync(descriptor).state === "granted";
}
