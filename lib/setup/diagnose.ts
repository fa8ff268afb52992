import { dirname, join } from "node:path";
import { nativeFolder } from "../backend/native_library.ts";
import { type BackendDescription, useBackend } from "../backend/use_backend.ts";
import { ways } from "../std.ts";
import { thisMachine } from "./machine.ts";

/** What there is to compute with, and what would make it faster. */
export type Diagnosis = {
  deno: string;
  os: string;
  arch: string;
  backend: BackendDescription;
  cores: number;
  memory: { totalBytes: number; freeBytes: number };
  /** Whether JSR could be reached; Node's built-ins serve where it can't. */
  jsr: boolean;
  /** Folders with a config.json or an adapter_config.json. */
  models: string[];
};

export async function diagnose({ modelsFolder }: { modelsFolder: string }): Promise<Diagnosis> {
  const { os, arch, nvidia } = await thisMachine();
  const backend = await useBackend({ backend: "auto" });
  const { total, available } = Deno.systemMemoryInfo();
  return {
    deno: Deno.version.deno,
    os,
    arch,
    backend: nvidia ? await withUnusedGpu(backend) : backend,
    cores: navigator.hardwareConcurrency,
    memory: { totalBytes: total, freeBytes: available },
    jsr: ways.jsr !== null,
    models: await findModels(modelsFolder),
  };
}

/** An NVIDIA driver answers: then TensorFlow on the processor is not the best there is. */
async function withUnusedGpu(backend: BackendDescription): Promise<BackendDescription> {
  if (backend.name !== "tensorflow" || backend.device === "GPU") return backend;
  const hasCuda = await Deno.stat(join(nativeFolder, "nvidia")).then(() => true, () => false);
  return hasCuda
    ? {
      ...backend,
      why: "CUDA was set up, but TensorFlow finds no GPU that it can use",
      faster: "TF_CPP_MIN_LOG_LEVEL=0 deno task doctor (tells why)",
    }
    : {
      ...backend,
      why: "an NVIDIA driver answers, but TensorFlow was set up without CUDA",
      faster: "deno task setup",
    };
}

async function findModels(folder: string, depth = 3): Promise<string[]> {
  const found: string[] = [];
  if (depth === 0) return found;
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  for (const { name, isDirectory } of entries) {
    const path = `${folder}/${name}`;
    if (name === "config.json" || name === "adapter_config.json") found.push(dirname(path));
    if (isDirectory) found.push(...await findModels(path, depth - 1));
  }
  return [...new Set(found)].sort();
}
