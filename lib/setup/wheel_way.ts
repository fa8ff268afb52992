import { cpus } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { type Binding, compileBinding, loadLibrary, nativeSourceHash } from "./compile_binding.ts";
import { type Compiler, findCompiler, zigCompiler } from "./compiler.ts";
import { downloadWheels } from "./download_wheels.ts";
import { findPython } from "./find_python.ts";
import type { Machine } from "./machine.ts";
import type { Step } from "./run_steps.ts";
import { unpackWheels } from "./unpack_wheels.ts";
import type { Cost, Way } from "./way.ts";
import { tensorflowVersion, type Wheel, wheelFor } from "./wheels.ts";

type Tools = { python: string; compilers: Compiler[] };

/** TensorFlow's wheel and the npm package's own C++ source, made into a binding under `folder`. */
export function wheelWay(machine: Machine, folder: string): Way {
  const wheel = wheelFor(machine);
  const name = `TensorFlow ${tensorflowVersion} from PyPI${wheel?.cuda ? " with CUDA" : ""}`;
  if (!wheel) return { name, steps: [], plan: () => noWheel(machine) };
  let found: Promise<Tools> | undefined;
  const tools = () => found ??= findTools(folder);
  return {
    name,
    steps: wheelSteps(wheel, { folder, tools }),
    plan: async (remaining) => costOf(wheel, remaining, (await tools()).compilers[0]),
  };
}

function noWheel({ os, arch }: Machine): never {
  throw new UserError(`PyPI has no TensorFlow for ${os} on ${arch} that Deno could load`);
}

async function findTools(folder: string): Promise<Tools> {
  const python = await findPython("fetch TensorFlow from PyPI");
  const zig = zigCompiler({ folder: join(folder, "zig"), python });
  const found = await findCompiler();
  return { python, compilers: found ? [found, zig] : [zig] };
}

function wheelSteps(
  wheel: Wheel,
  { folder, tools }: { folder: string; tools: () => Promise<Tools> },
): Step[] {
  const key = [wheel.requirement, ...wheel.platforms, wheel.cuda ? "cuda" : "cpu"].join(" ");
  const binding = async (): Promise<Binding> => ({ wheel, folder, ...await tools() });
  return [
    {
      name: "download",
      key,
      run: async (report) => downloadWheels(wheel, { folder, report, ...await tools() }),
    },
    { name: "unpack", key, run: (report) => unpackWheels(wheel, { folder, report }) },
    { name: "load", key, run: async () => loadLibrary(await binding()) },
    {
      name: "compile",
      key: `${key} ${nativeSourceHash()} ${cpus()[0]?.model}`,
      run: async (report) => compileBinding(await binding(), report),
    },
  ];
}

/** The compiler's Zig, where it must be fetched, is removed again; the wheels are, too. */
function costOf(wheel: Wheel, remaining: string[], compiler: Compiler): Cost {
  const wheelBytes = wheel.downloadBytes + (wheel.cuda?.downloadBytes ?? 0);
  const keptBytes = wheel.libraryBytes + (wheel.cuda?.libraryBytes ?? 0);
  const toDownload = remaining.includes("download") ? wheelBytes : 0;
  const toUnpack = remaining.includes("unpack") ? keptBytes : 0;
  return {
    downloadBytes: toDownload + compiler.downloadBytes,
    keptBytes,
    peakBytes: Math.max(toDownload + toUnpack, compiler.diskBytes) + 10e6,
  };
}
