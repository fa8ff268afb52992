import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { Machine } from "./machine.ts";
import { runCommand } from "./run_command.ts";
import type { Report } from "./run_steps.ts";
import type { Cost, Way } from "./way.ts";

/** The two archives that the npm package's own installer fetches. */
export type VendorBinary = { libraryUrl: string; bindingUrl: string };

const libtensorflowVersion = "2.9.1";
const packageVersion = "4.22.0";
const defaultHost = "https://storage.googleapis.com";

/**
 * The vendor's own binary, where one fits: x86-64 without an NVIDIA driver (its GPU build wants
 * CUDA 11.2, which newer cards and drivers have left behind), and no Apple silicon.
 */
export function vendorBinaryFor(
  { os, arch, nvidia }: Machine,
  host: string = defaultHost,
): VendorBinary | null {
  const system = { linux: "linux", darwin: "darwin", windows: "windows" }[os as string];
  if (!system || arch !== "x86_64" || nvidia) return null;
  const extension = os === "windows" ? "zip" : "tar.gz";
  const library = `libtensorflow-cpu-${system}-x86_64-${libtensorflowVersion}.${extension}`;
  const binding = `CPU-${system}-${packageVersion}.${extension}`;
  return {
    libraryUrl: `${host}/tensorflow/libtensorflow/${library}`,
    bindingUrl: `${host}/tf-builds/pre-built-binary/napi-v8/${packageVersion}/${binding}`,
  };
}

/** Fetches both archives and lays them out under `vendor/` as the package's installer would. */
export function vendorWay(machine: Machine, folder: string, host?: string): Way {
  const name = `TensorFlow ${libtensorflowVersion}, the vendor's own binary`;
  const binary = vendorBinaryFor(machine, host);
  if (!binary) return { name, steps: [], plan: () => unfit(machine) };
  const key = `${binary.libraryUrl} ${binary.bindingUrl}`;
  return {
    name,
    steps: [
      { name: "vendor_download", key, run: (report) => download(binary, { folder, report }) },
      { name: "vendor_unpack", key, run: () => unpack(binary, folder) },
    ],
    plan: () => plan(binary),
  };
}

function unfit({ os, arch }: Machine): never {
  throw new UserError(`there is none for ${os} on ${arch}`);
}

/** Unpacked, the archives are about four times as large. */
async function plan(binary: VendorBinary): Promise<Cost> {
  const sizes = await Promise.all([binary.libraryUrl, binary.bindingUrl].map(sizeAt));
  const downloadBytes = sizes[0] + sizes[1];
  return { downloadBytes, keptBytes: 4 * downloadBytes, peakBytes: 5 * downloadBytes };
}

async function sizeAt(url: string): Promise<number> {
  const signal = AbortSignal.timeout(5000);
  const response = await fetch(url, { method: "HEAD", signal }).catch(() => null);
  if (response?.ok) return Number(response.headers.get("content-length"));
  const why = response ? `answers ${response.status}` : "can't be reached";
  throw new UserError(`its server ${why}`);
}

const archives = ["download/library.archive", "download/binding.archive"];

async function download(
  binary: VendorBinary,
  { folder, report }: { folder: string; report: Report },
): Promise<string[]> {
  await Deno.mkdir(join(folder, "download"), { recursive: true });
  const responses = await Promise.all([binary.libraryUrl, binary.bindingUrl].map(request));
  const lengths = responses.map(({ headers }) => Number(headers.get("content-length")));
  const totalBytes = lengths[0] + lengths[1];
  let doneBytes = 0;
  for (const [i, { body }] of responses.entries()) {
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        doneBytes += chunk.length;
        report.progress({ step: "download", doneBytes, totalBytes });
        controller.enqueue(chunk);
      },
    });
    await Deno.writeFile(join(folder, archives[i]), body!.pipeThrough(counter));
  }
  return archives;
}

async function request(url: string): Promise<Response> {
  const response = await fetch(url).catch((cause) => {
    throw new UserError(`Cannot download ${url}: ${cause.message}`, { cause });
  });
  if (response.ok) return response;
  throw new UserError(`Cannot download ${url}: the server answers ${response.status}`);
}

async function unpack(binary: VendorBinary, folder: string): Promise<string[]> {
  const places = ["vendor/deps", "vendor/lib"];
  for (const [i, place] of places.entries()) {
    await Deno.mkdir(join(folder, place), { recursive: true });
    await runCommand("tar", {
      args: ["-xf", join(folder, archives[i]), "-C", join(folder, place)],
      purpose: `unpack ${binary.libraryUrl}`,
    });
  }
  const binding = "vendor/lib/napi-v8/tfjs_binding.node";
  const libraries = await lay(folder);
  await Deno.remove(join(folder, "download"), { recursive: true });
  return [binding, ...libraries];
}

/** Windows looks for the library beside the binding; elsewhere the binding knows where it lies. */
async function lay(folder: string): Promise<string[]> {
  const kept = "vendor/deps/lib";
  const names = (await Array.fromAsync(Deno.readDir(join(folder, kept)))).map(({ name }) => name);
  const dll = names.find((name) => name === "tensorflow.dll");
  if (!dll) return names.map((name) => `${kept}/${name}`);
  const beside = `vendor/lib/napi-v8/${dll}`;
  await Deno.rename(join(folder, kept, dll), join(folder, beside));
  return [beside];
}
