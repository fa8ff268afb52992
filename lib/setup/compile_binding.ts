import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
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

/** The kernels of our own, which are compiled again when they change. */
export const fusedKernelsSource: string = join(
  import.meta.dirname!,
  "../backend/fused_kernels.cc",
);

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
 * and the few lines that keep TensorFlow quiet. Where one compiler fails (its headers aren't installed, say), the next may.
 *
 * @returns all files that the backend needs, by their paths below `folder`.
 */
export async function compileBinding(binding: Binding, report: Report): Promise<string[]> {
  for (const [i, compiler] of binding.compilers.entries()) {
    report.line(`Compiling the binding with ${compiler.name}`);
    try {
      return await compileWith(compiler, binding);
    } catch (error) {
      if (!(error instanceof UserError) || i === binding.compilers.length - 1) throw error;
      report.line(error.message);
    }
  }
  throw new UserError("Cannot compile the binding: there is no compiler");
}

async function compileWith(compiler: Compiler, { wheel, folder }: Binding): Promise<string[]> {
  const { command, args, env } = await compiler.prepare();
  const source = packageFolder("@tensorflow/tfjs-node-gpu/package.json");
  const nodeHeaders = packageFolder("node-api-headers/package.json");
  const libraries = placesOf(wheel);
  const tensorflow = libraries.map((place) => join(folder, place));
  const outputs = {
    "libquiet.so": { sources: [join(import.meta.dirname!, "quiet.cc")] },
    "tfjs_binding.node": {
      sources: ["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => join(source, "binding", name)),
      includes: [join(nodeHeaders, "include"), join(folder, "include")],
      libraries: tensorflow,
    },
    "libfused.so": {
      sources: [fusedKernelsSource],
      includes: [join(folder, "include")],
      libraries: tensorflow,
      isTuned: true,
    },
  };
  for (const [name, parts] of Object.entries(outputs)) {
    const output = join(folder, `${name}.tmp`);
    await runCommand(command, {
      args: [...args, ...compileArguments({ ...parts, output })],
      env,
      purpose: `compile ${name}`,
    });
    await Deno.rename(output, join(folder, name));
  }
  await compiler.tidy();
  return [...Object.keys(outputs), ...libraries];
}

function placesOf({ libraries }: Wheel): string[] {
  return libraries.map((name) => join("lib", basename(name)));
}

function packageFolder(file: string): string {
  return dirname(fileURLToPath(import.meta.resolve(file)));
}
