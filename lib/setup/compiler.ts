import { join } from "node:path";
import { commandRuns, runCommand } from "./run_command.ts";

/** A C++ compiler, found or to be fetched. */
export type Compiler = {
  name: string;
  /** What must be downloaded and laid down for it first. */
  downloadBytes: number;
  diskBytes: number;
  prepare(): Promise<{ command: string; args: string[]; env: Record<string, string> }>;
  /** Removes what `prepare` fetched. */
  tidy(): Promise<void>;
};

/** The first of the usual compilers that runs, or null. */
export async function findCompiler(): Promise<Compiler | null> {
  for (const command of ["c++", "clang++", "g++"]) {
    if (await commandRuns(command, ["--version"])) return installed(command);
  }
  return null;
}

function installed(command: string): Compiler {
  return {
    name: command,
    downloadBytes: 0,
    diskBytes: 0,
    prepare: () => Promise.resolve({ command, args: [], env: {} }),
    tidy: () => Promise.resolve(),
  };
}

/** Zig's compiler out of PyPI, which brings its own headers and libraries. */
export function zigCompiler({ folder, python }: { folder: string; python: string }): Compiler {
  return {
    name: "Zig's compiler from PyPI, in a minute or two",
    downloadBytes: 101_100_000,
    diskBytes: 700_000_000,
    async prepare() {
      await runCommand(python, {
        args: [
          ...["-m", "pip", "install", "--no-deps", "--only-binary=:all:", "--no-cache-dir"],
          ...["--target", folder, "ziglang==0.17.1"],
        ],
        purpose: "fetch Zig's compiler",
      });
      return {
        command: python,
        args: ["-m", "ziglang", "c++"],
        env: {
          PYTHONPATH: folder,
          ZIG_GLOBAL_CACHE_DIR: join(folder, "cache"),
          ZIG_LOCAL_CACHE_DIR: join(folder, "cache"),
        },
      };
    },
    tidy: () => Deno.remove(folder, { recursive: true }),
  };
}

/** What a compiler is told, to make a library that Deno loads. */
export function compileArguments(
  { sources, includes = [], libraries = [], isTuned = false, output }: {
    sources: string[];
    includes?: string[];
    libraries?: string[];
    /** With loops made into vectors, on x86-64 for this machine's own processor. */
    isTuned?: boolean;
    output: string;
  },
  os: typeof Deno.build.os = Deno.build.os,
): string[] {
  const origin = os === "darwin" ? "@loader_path" : "$ORIGIN";
  return [
    ...["-std=c++17", "-fPIC", "-shared", "-DNAPI_VERSION=8"],
    ...(isTuned ? ["-O3", ...(Deno.build.arch === "x86_64" ? ["-march=native"] : [])] : ["-O2"]),
    ...includes.map((folder) => `-I${folder}`),
    ...(os === "darwin" ? ["-undefined", "dynamic_lookup"] : []),
    ...sources,
    ...libraries,
    ...(libraries.length > 0 ? [`-Wl,-rpath,${origin}/lib`] : []),
    ...["-o", output],
  ];
}
