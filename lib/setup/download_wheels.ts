import { join, relative } from "node:path";
import { openByteFile } from "../io/byte_file.ts";
import { readZipEntries, readZipEntry } from "../io/zip.ts";
import { runCommand } from "./run_command.ts";
import type { Report } from "./run_steps.ts";
import { watchFolder } from "./watch_folder.ts";
import { cudaRequirements, pipDownload, type Wheel } from "./wheels.ts";

export type DownloadWheelsOptions = { folder: string; python: string; report: Report };

/**
 * Lets pip fetch the wheel, and CUDA's where it wants them, as pip is set up on this machine; pip
 * compares their hashes with the index. Wheels that arrived whole before are not fetched again.
 *
 * @returns their paths below `folder`.
 */
export async function downloadWheels(
  wheel: Wheel,
  { folder, python, report }: DownloadWheelsOptions,
): Promise<string[]> {
  const target = downloadFolder(folder, wheel);
  const temporary = join(target, "tmp");
  await Deno.remove(temporary, { recursive: true }).catch(() => {});
  await Deno.mkdir(temporary, { recursive: true });
  const fetchWheels = (requirements: string[], platforms: string[]) =>
    runCommand(python, {
      args: pipDownload(requirements, { platforms, folder: target }),
      env: { TMPDIR: temporary, TEMP: temporary },
      purpose: `download ${requirements.join(", ")}`,
    });
  const totalBytes = wheel.downloadBytes + (wheel.cuda?.downloadBytes ?? 0);
  const tell = (bytes: number) =>
    report.progress({ step: "download", doneBytes: Math.min(bytes, totalBytes), totalBytes });
  const stopWatching = watchFolder(target, tell);
  try {
    await fetchWheels([wheel.requirement], wheel.platforms);
    if (wheel.cuda) await fetchWheels(await readCudaRequirements(target), wheel.cuda.platforms);
  } finally {
    stopWatching();
  }
  tell(totalBytes);
  await Deno.remove(temporary, { recursive: true });
  return (await wheelsIn(target)).map((path) => relative(folder, path));
}

/** CUDA's wheels lie apart, so that what is left of an attempt with them never mixes in. */
export function downloadFolder(folder: string, wheel: Wheel): string {
  return join(folder, "download", wheel.cuda ? "gpu" : "cpu");
}

/** The wheels in a folder. */
export async function wheelsIn(folder: string): Promise<string[]> {
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  return names.filter((name) => name.endsWith(".whl")).map((name) => join(folder, name));
}

/** TensorFlow's wheel says itself which of CUDA's it was built for. */
async function readCudaRequirements(folder: string): Promise<string[]> {
  const wheel = (await wheelsIn(folder)).find((path) => /[/\\]tensorflow-[^/\\]+$/.test(path));
  using archive = openByteFile(wheel!);
  const entries = [...readZipEntries(archive).values()];
  const metadata = entries.find(({ name }) => /^[^/]+\.dist-info\/METADATA$/.test(name));
  return cudaRequirements(new TextDecoder().decode(readZipEntry(archive, metadata!)));
}
