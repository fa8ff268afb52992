import { join } from "node:path";
import { UserError } from "../errors.ts";
import { fileError } from "./file_error.ts";

export type DownloadWheelOptions = {
  version: string;
  /** Where the wheel is put; one that is there already is not fetched again. */
  folder: string;
};

/**
 * Downloads a package's wheel from the Python package index that `pip` is set up for, without
 * installing it. pip itself compares its hash with the index.
 *
 * @returns The path of the wheel.
 * @throws {UserError} Where Python is missing or pip can't fetch the package, with pip's reason.
 */
export async function downloadWheel(
  name: string,
  { version, folder }: DownloadWheelOptions,
): Promise<string> {
  const isWheel = (file: string) =>
    file.startsWith(`${name.replaceAll("-", "_")}-${version}-`) && file.endsWith(".whl");
  const find = () => Array.from(Deno.readDirSync(folder), (entry) => entry.name).find(isWheel);
  await Deno.mkdir(folder, { recursive: true }).catch((error) => {
    throw fileError(error, { action: "write", path: folder });
  });
  if (!find()) await runPip(["--dest", folder, `${name}==${version}`], `${name} ${version}`);
  const wheel = find();
  if (wheel) return join(folder, wheel);
  throw new UserError(`Cannot download ${name} ${version}: pip fetched no wheel of that name`);
}

async function runPip(args: string[], what: string): Promise<void> {
  const fixed = ["download", "--quiet", "--no-deps", "--no-input", "--disable-pip-version-check"];
  const command = new Deno.Command("python3", {
    args: ["-m", "pip", ...fixed, "--only-binary=:all:", ...args],
    stdout: "null",
    stderr: "piped",
  });
  const { success, stderr } = await command.output().catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(`Cannot download ${what}: wanted python3 with pip, found no python3`);
  });
  if (success) return;
  const lines = new TextDecoder().decode(stderr).trim().split("\n");
  const reason = lines.findLast((line) => line.startsWith("ERROR")) ?? lines.at(-1);
  throw new UserError(`Cannot download ${what} with pip: ${reason}`);
}
