import { basename, dirname, join } from "node:path";
import { UserError } from "../errors.ts";
import { openByteFile } from "../io/byte_file.ts";
import { readZipEntries } from "../io/zip.ts";
import { downloadFolder, wheelsIn } from "./download_wheels.ts";
import type { Report } from "./run_steps.ts";
import { unpackEntry } from "./unpack_entry.ts";
import { headerFolder, headers, type Wheel } from "./wheels.ts";

/**
 * Takes the libraries and headers out of the wheels and drops the rest, the wheels too. `lib/`
 * beside `nvidia/` is where TensorFlow's libraries look for CUDA's by their own run path.
 *
 * @returns the files' paths below `folder`.
 */
export async function unpackWheels(
  wheel: Wheel,
  { folder, report }: { folder: string; report: Report },
): Promise<string[]> {
  const totalBytes = wheel.libraryBytes + (wheel.cuda?.libraryBytes ?? 0);
  let doneBytes = 0;
  const onBytes = (count: number) =>
    report.progress({ step: "unpack", doneBytes: doneBytes += count, totalBytes });
  const kept: string[] = [];
  for (const path of await wheelsIn(downloadFolder(folder, wheel))) {
    using archive = openByteFile(path);
    for (const entry of readZipEntries(archive).values()) {
      const place = placeOf(entry.name, wheel);
      if (!place) continue;
      const target = join(folder, place);
      await Deno.mkdir(dirname(target), { recursive: true });
      await unpackEntry(archive, entry, { target, onBytes });
      kept.push(place);
    }
  }
  const wanted = wheel.libraries.length + headers.length;
  if (kept.length < wanted) {
    const found = `wanted ${wanted} files of it, found ${kept.length}`;
    throw new UserError(`Cannot use ${wheel.requirement}: ${found}`);
  }
  await Deno.remove(join(folder, "download"), { recursive: true });
  return kept;
}

/** Where below the folder a wheel's file goes, or null for one that isn't needed. */
export function placeOf(name: string, wheel: Wheel): string | null {
  if (wheel.libraries.includes(name)) return join("lib", basename(name));
  if (wheel.cuda && /^nvidia\/[^/]+\/lib\/[^/]+\.so[^/]*$/.test(name)) return name;
  const header = name.startsWith(headerFolder) ? name.slice(headerFolder.length) : "";
  return headers.includes(header) ? join("include", header) : null;
}
