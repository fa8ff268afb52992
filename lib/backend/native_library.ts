import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import util from "node:util";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import { FUSED_LIBRARY } from "./fused_library.ts";

/** Where `deno task setup` puts TensorFlow: a folder that git ignores and that `deno ci` leaves alone. */
export const nativeFolder: string = resolve(import.meta.dirname ?? ".", "../../.native");

/** Why TensorFlow can't run: it was never set up, or what is there doesn't load. */
export class NativeLibraryError extends Error {
  override name = "NativeLibraryError";
}

/** Makes tfjs' TensorFlow backend out of the compiled binding in `folder`. */
export async function loadNativeLibrary(
  folder: string = nativeFolder,
): Promise<NodeJSKernelBackend> {
  const binding = findBinding(folder);
  if (!binding) throw new NativeLibraryError("TensorFlow is not set up");
  restoreNodeUtil();
  setUnlessSet("TF_FORCE_GPU_ALLOW_GROWTH", "true");
  const release = quietTensorFlow(folder);
  try {
    await import("@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js");
    const kernels = await import("@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js");
    const loaded = createRequire(import.meta.url)(binding);
    const dropLoadingPages = registerFusedKernels(folder);
    const backend = new kernels.NodeJSKernelBackend(loaded, "@tensorflow/tfjs-node-gpu");
    dropLoadingPages?.();
    return backend;
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw new NativeLibraryError(`TensorFlow does not load: ${reason}`, { cause });
  } finally {
    release();
  }
}

/** The binding that was compiled here, the vendor's, or the one that the npm package's installer left. */
function findBinding(folder: string): string | undefined {
  const own = [
    join(folder, "tfjs_binding.node"),
    join(folder, "vendor/lib/napi-v8/tfjs_binding.node"),
  ];
  const found = own.find(exists);
  if (found) return found;
  const entry = import.meta.resolve("@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js");
  const installed = resolve(fileURLToPath(entry), "../../lib/napi-v8/tfjs_binding.node");
  return isGranted({ name: "read", path: installed }) && exists(installed) ? installed : undefined;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

let hasFusedKernels = false, hasOlderKernels = false;

/** Whether TensorFlow knows the operations of fused_kernels.cc. */
export function fusedKernelsAreRegistered(): boolean {
  return hasFusedKernels;
}

/** Whether kernels of our own were found that another version of dpo-kit compiled. */
export function olderKernelsAreThere(): boolean {
  return hasOlderKernels;
}

/**
 * Without them everything runs, slower: under the vendor's own binary, on another processor, or
 * where their library doesn't load. Returns what gives back the memory that loading alone needed.
 */
function registerFusedKernels(folder: string): (() => void) | undefined {
  const path = join(folder, FUSED_LIBRARY);
  if (hasFusedKernels || !isGranted({ name: "ffi", path })) return;
  if (!exists(path)) {
    hasOlderKernels = [...Deno.readDirSync(folder)].some(({ name }) =>
      /^libfused.*\.so$/.test(name)
    );
    return;
  }
  try {
    const { symbols } = Deno.dlopen(path, {
      register_fused_kernels: { parameters: [], result: "i32" },
      drop_loading_pages: { parameters: [], result: "void" },
    });
    hasFusedKernels = symbols.register_fused_kernels() === 1;
    return symbols.drop_loading_pages;
  } catch {
    hasFusedKernels = false;
  }
}

/** tfjs calls two functions of node:util that newer runtimes have dropped. */
function restoreNodeUtil(): void {
  const old = util as unknown as Record<string, unknown>;
  old.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  old.isArray ??= Array.isArray;
}

/** Returns whether the variable has that value now; without the permission for it, it is left alone. */
function setUnlessSet(name: string, value: string): boolean {
  if (!isGranted({ name: "env", variable: name })) return false;
  if (!Deno.env.has(name)) Deno.env.set(name, value);
  return Deno.env.get(name) === value;
}

function isGranted(permission: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(permission).state === "granted";
}

/**
 * TensorFlow chats on stderr, in part before it reads its own log level. Both are stilled unless
 * the user has set TF_CPP_MIN_LOG_LEVEL. Returns what ends the silence once it is loaded.
 */
function quietTensorFlow(folder: string): () => void {
  const library = join(folder, "libquiet.so");
  const mayHold = isGranted({ name: "ffi", path: library }) && exists(library);
  if (!setUnlessSet("TF_CPP_MIN_LOG_LEVEL", "3") || !mayHold) return () => {};
  const quiet = Deno.dlopen(library, {
    hold_stderr: { parameters: [], result: "i32" },
    release_stderr: { parameters: ["i32"], result: "void" },
  });
  const kept = quiet.symbols.hold_stderr();
  return () => {
    quiet.symbols.release_stderr(kept);
    quiet.close();
  };
}
