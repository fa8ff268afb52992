import * as tf from "@tensorflow/tfjs";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../errors.ts";
import { fusedKernels } from "./fused_kernels.ts";
import { loadNativeLibrary, olderKernelsAreThere } from "./native_library.ts";
import { addWasmKernels } from "./wasm_kernels.ts";
import { throwWithoutRoom, withSharedMemory } from "./wasm_memory.ts";

/** What can compute, by the name that `--backend` takes. */
export type BackendName = "tensorflow" | "webgpu" | "wasm" | "cpu";

/** What computes, and why nothing faster does. */
export type BackendDescription = {
  name: BackendName;
  /** The hardware in words: `"CPU, 2 cores"`, `"GPU"`, a WebGPU adapter's name. */
  device: string;
  /** Whose kernels: `"TensorFlow 2.21.0"`, `"tfjs 4.22.0"`. */
  version: string;
  /** Elementwise chains: in one pass by dpo-kit's own kernels, or step by step by the backend's. */
  kernels: "fused" | "plain";
  /** Why this one and not a faster one, as a clause. */
  why: string;
  /** The command that could make it faster, where there is one. */
  faster?: string;
};

/** Options of {@link useBackend}. */
export type UseBackendOptions = {
  /** A backend by name, or the fastest that runs here (the default: "auto", or the one in use). */
  backend?: BackendName | "auto";
};

/** tfjs wants a place for each of its binaries, whichever it takes. */
const WASM_FILES = ["", "-simd", "-threaded-simd"].map((kind) => `tfjs-backend-wasm${kind}.wasm`);

type Started = { device: string; version: string; limit: string };

const starters: Record<BackendName, (named: boolean) => Promise<Started>> = {
  tensorflow: startTensorflow,
  webgpu: startWebgpu,
  wasm: startWasm,
  cpu: startCpu,
};
const cures: Record<BackendName, string> = {
  tensorflow: "run `deno task setup`",
  webgpu: "install the graphics driver, or leave the backend out for the fastest that runs here",
  wasm: "run `deno install`",
  cpu: "run `deno install`",
};
type Chosen = Omit<BackendDescription, "kernels">;
let description: Chosen | undefined;
let queue: Promise<unknown> = Promise.resolve();

/**
 * Chooses what computes for the whole process and makes it tfjs' active backend: TensorFlow where
 * `deno task setup` put it, else WebGPU on a real adapter, else WebAssembly. Plain JavaScript
 * (`"cpu"`) runs only when named. A second call without options keeps what runs.
 *
 * **Source**: the backends of TensorFlow.js 4.22.
 * **Memory**: tensors made before a change of backend move along when they are next used.
 *
 * @param options `backend` names one instead of letting the fastest be found.
 * @returns what runs, and why nothing faster does.
 * @throws {UserError} when a backend that was asked for by name can't run here, with the cure.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import * as tf from "@tensorflow/tfjs";
 * import { useBackend } from "./use_backend.ts";
 * const { name } = await useBackend({ backend: "cpu" });
 * assert.equal(name, "cpu");
 * assert.equal(tf.getBackend(), "cpu");
 * ```
 */
export function useBackend(options: UseBackendOptions = {}): Promise<BackendDescription> {
  const chosen = queue.then(() => choose(options.backend));
  queue = chosen.catch(() => {});
  return chosen;
}

/**
 * What computes at present, as {@link useBackend} returned it.
 *
 * @throws {Error} when no backend was chosen yet.
 */
export function describeBackend(): BackendDescription {
  if (!description) throw new Error("No backend is in use yet: await useBackend() first");
  const kernels = fusedKernels() ? "fused" : "plain";
  if (description.name !== "tensorflow" || kernels === "fused" || !olderKernelsAreThere()) {
    return { ...description, kernels };
  }
  const why = `${description.why}; dpo-kit's own kernels are of another version of it`;
  return { ...description, kernels, why, faster: "deno task setup" };
}

async function choose(wanted?: BackendName | "auto"): Promise<BackendDescription> {
  if (description && (wanted === undefined || wanted === description.name)) {
    return describeBackend();
  }
  description = wanted === undefined || wanted === "auto"
    ? await startFastest()
    : await startNamed(wanted);
  return describeBackend();
}

async function startNamed(name: BackendName): Promise<Chosen> {
  if (!Object.hasOwn(starters, name)) {
    const names = ["auto", ...Object.keys(starters)].join(", ");
    throw new UserError(`Cannot use backend "${name}": wanted one of ${names}`, {
      field: "backend",
    });
  }
  try {
    const { device, version } = await starters[name](true);
    return { name, device, version, why: "it was asked for by name" };
  } catch (cause) {
    throw new UserError(
      `Cannot use backend "${name}": ${reasonOf(cause)}; ${cureOf(name, cause)}`,
      {
        field: "backend",
        cause,
      },
    );
  }
}

/** Tries the backends from the fastest on and keeps the reasons of those that don't run. */
async function startFastest(): Promise<Chosen> {
  const reasons: string[] = [];
  let faster: string | undefined;
  for (const name of ["tensorflow", "webgpu", "wasm"] as const) {
    try {
      const { device, version, limit } = await starters[name](false);
      const why = [...reasons, limit].join("; ");
      return { name, device, version, why, ...(faster && { faster }) };
    } catch (cause) {
      reasons.push(reasonOf(cause));
      faster ??= isDenied(cause) ? `--allow-read and --allow-ffi of .native` : "deno task setup";
    }
  }
  throw new UserError(`Cannot compute here, no backend runs: ${reasons.join("; ")}`);
}

async function startTensorflow(): Promise<Started> {
  if (!tf.findBackendFactory("tensorflow")) {
    const loaded = await loadNativeLibrary();
    tf.registerBackend("tensorflow", () => loaded);
  }
  await activate("tensorflow");
  const { binding, isUsingGpuDevice } = tf.backend() as unknown as NodeJSKernelBackend;
  return {
    device: isUsingGpuDevice ? "GPU" : cpuDevice(),
    version: `TensorFlow ${binding.TF_Version}`,
    limit: isUsingGpuDevice ? "nothing faster is known" : "TensorFlow found no GPU",
  };
}

async function startWebgpu(named: boolean): Promise<Started> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("WebGPU finds no graphics adapter");
  const info = adapter.info as GPUAdapterInfo & { isFallbackAdapter?: boolean };
  const adapterName = info.description || info.vendor;
  const device = info.isFallbackAdapter ? `${adapterName}, in software` : adapterName;
  if (info.isFallbackAdapter && !named) {
    throw new Error(`WebGPU finds only a software adapter, ${device}`);
  }
  await import("@tensorflow/tfjs-backend-webgpu");
  await activate("webgpu");
  return { device, version: `tfjs ${tf.version.tfjs}`, limit: "nothing faster runs here" };
}

async function startWasm(): Promise<Started> {
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  if (tf.getBackend() !== "wasm") {
    const folder = dirname(fileURLToPath(import.meta.resolve("@tensorflow/tfjs-backend-wasm")));
    const binary = await Deno.readFile(join(folder, "tfjs-backend-wasm-simd.wasm"));
    const shared = new Blob([withSharedMemory(binary)], { type: "application/wasm" });
    const url = URL.createObjectURL(shared);
    wasm.setWasmPaths(Object.fromEntries(WASM_FILES.map((name) => [name, url])), true);
    addWasmKernels();
    await activate("wasm");
    throwWithoutRoom(tf.backend() as BackendWasm);
    URL.revokeObjectURL(url);
  }
  return {
    device: cpuDevice(),
    version: `tfjs ${tf.version.tfjs} WebAssembly`,
    limit: "nothing faster runs here",
  };
}

async function startCpu(): Promise<Started> {
  await activate("cpu");
  (tf.backend() as unknown as { firstUse: boolean }).firstUse = false; // no advertisement
  return {
    device: "CPU, 1 thread",
    version: `tfjs ${tf.version.tfjs} JavaScript`,
    limit: "plain JavaScript is for tests",
  };
}

/** `tf.setBackend` tells of a failure by false alone, and leaves the wrong name behind. */
async function activate(name: BackendName): Promise<void> {
  const before = tf.getBackend();
  if (await tf.setBackend(name)) return;
  if (before) await tf.setBackend(before);
  throw new Error(`tfjs could not start its ${name} backend`);
}

function cpuDevice(): string {
  return `CPU, ${navigator.hardwareConcurrency} cores`;
}

function cureOf(name: BackendName, cause: unknown): string {
  return isDenied(cause) ? "grant this permission to the script" : cures[name];
}

function isDenied(cause: unknown): boolean {
  if (cause instanceof Deno.errors.NotCapable) return true;
  return cause instanceof Error && cause.cause !== undefined && isDenied(cause.cause);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
