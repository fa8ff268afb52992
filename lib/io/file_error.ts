import { UserError } from "../errors.ts";

const reasons: Record<string, string> = {
  ENOENT: "there is no such file or folder",
  EACCES: "the system denies access; check the owner and mode of the file and its folder",
  EPERM: "the system denies access; check the owner and mode of the file and its folder",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full; free some space or choose another folder",
  EDQUOT: "the disk quota is used up; free some space or choose another folder",
  EISDIR: "it is a folder, wanted a file",
  ENOTDIR: "a file stands where a folder is needed",
  ENAMETOOLONG: "the name is too long for this file system",
  EFBIG: "it would be larger than the file system or a limit allows",
  EMFILE: "too many files are open",
};

/**
 * Turns what the system said about a file into a sentence for the user.
 *
 * @param error What was thrown; a {@link UserError} comes back unchanged.
 * @param options.action What could not be done with the file.
 * @param options.path The file or folder.
 */
export function fileError(
  error: unknown,
  { action, path }: { action: "read" | "write"; path: string },
): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  if (error.name === "AbortError") return error; // the user's own doing
  const { code } = error as Error & { code?: string };
  if (error instanceof Deno.errors.NotCapable) {
    const flag = `--allow-${action}`;
    const reason = `this process was started without that permission; grant it with ${flag}`;
    return new UserError(`Cannot ${action} "${path}": ${reason}`, { path, cause: error });
  }
  const reason = reasons[code ?? ""];
  if (!reason && !code && !(error.name in Deno.errors)) return error;
  return new UserError(`Cannot ${action} "${path}": ${reason ?? error.message}`, {
    path,
    cause: error,
  });
}
