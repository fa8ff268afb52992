import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FUSED_LIBRARY } from "../backend/fused_library.ts";
import { UserError } from "../errors.ts";
import { compileArguments, type Compiler } from "./compiler.ts";
import { runCommand } from "./run_command.ts";
import type { Report } from "./run_steps.ts";
import type { Wheel } from "./wheels.ts";

/** What a binding is made from: the unpacked wheel below `folder`, and the tools. */
export type Binding = {
  wheel: Wheel;
  folder: string;
  python: string;
  /** To be tried in this order. */
  compilers: Compiler[];
};

const nativeSource = join(import.meta.dirname!, "../backend/native");

/** A hash of our own kernels' source: where it changes, they are compiled again. */
export function nativeSourceHash(): string {
  const digest = createHash("sha256");
  for (const name of Array.from(Deno.readDirSync(nativeSource), ({ name }) => name).sort()) {
    digest.update(name).update(Deno.readFileSync(join(nativeSource, name)));
  }
  return digest.digest("hex");
}

/**
 * Loads TensorFlow's library in a process that may die of it: on a processor without AVX it ends
 * whoever loads it. What else may be wrong is found, and said better, by the first multiplication.
 */
export async function loadLibrary({ wheel, folder, python }: Binding): Promise<string[]> {
  const [library] = placesOf(wheel);
  const script = "import ctypes, sys\ntry: ctypes.CDLL(sys.argv[1])\nexcept OSError: pass";
  await runCommand(python, {
    args: ["-c", script, join(folder, library)],
    purpose: "run TensorFlow on this processor",
  });
  return [library];
}

/**
 * Compiles the npm package's own C++ source against the libraries, and beside it our fused kernels
 * and the few lines that keep TensorFlow quiet. Where one compiler fails (its headers aren't
 * installed, say), the next may.
 *
 * @returns all files that the backend needs, by their paths below `folder`.
 */
export async function compileBinding(binding: Binding, report: Report): Promise<string[]> {
  for (const [i, compiler] of binding.compilers.entries()) {
    report.line(`Compiling the binding with ${compiler.name}`);
    try {
      return await compileWith(compiler, binding, report);
    } catch (error) {
      if (!(error instanceof UserError) || i === binding.compilers.length - 1) throw error;
      report.line(error.message);
    }
  }
  throw new UserError("Cannot compile the binding: there is no compiler");
}

async function compileWith(
  compiler: Compiler,
  binding: Binding,
  report: Report,
): Promise<string[]> {
  const { command, args, env } = await compiler.prepare();
  const { folder } = binding, made: string[] = [];
  for (const [name, parts] of Object.entries(partsOf(binding))) {
    const output = join(folder, `${name}.tmp`);
    const all = [...args, ...compileArguments({ ...parts, output })];
    try {
      await runCommand(command, { args: all, env, purpose: `compile ${name}` });
    } catch (error) {
      if (name !== FUSED_LIBRARY || !(error instanceof UserError)) throw error;
      report.line(`${error.message}. Everything runs without it, more slowly`);
      continue;
    }
    await Deno.rename(output, join(folder, name));
    made.push(name);
  }
  await compiler.tidy();
  await removeOlder(folder);
  return [...made, ...placesOf(binding.wheel)];
}

/** Our own kernels as earlier versions named them. */
async function removeOlder(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (/^libfused.*\.so$/.test(name) && name !== FUSED_LIBRARY) {
      await Deno.remove(join(folder, name));
    }
  }
}

/** What is compiled, by the file's name. */
function partsOf({ wheel, folder }: Binding) {
  const source = packageFolder("@tensorflow/tfjs-node-gpu/package.json");
  const nodeHeaders = packageFolder("node-api-headers/package.json");
  const libraries = placesOf(wheel).map((place) => join(folder, place));
  return {
    "libquiet.so": { sources: [join(import.meta.dirname!, "quiet.cc")] },
    "tfjs_binding.node": {
      sources: ["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => join(source, "binding", name)),
      includes: [join(nodeHeaders, "include"), join(folder, "include")],
      libraries,
    },
    [FUSED_LIBRARY]: {
      sources: [join(nativeSource, "fused_kernels.cc")],
      includes: [join(folder, "include")],
      libraries,
      isTuned: true,
    },
  };
}

function placesOf({ libraries }: Wheel): string[] {
  return libraries.map((name) => join("lib", basename(name)));
}

function packageFolder(file: string): string {
  return dirname(fileURLToPath(import.meta.resolve(file)));
}
