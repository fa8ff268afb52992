import { type BackendName, useBackend } from "../../lib/backend/use_backend.ts";

/** The backends that run on this machine, the oracle last; says which ones are left out, and why. */
export async function presentBackends(): Promise<BackendName[]> {
  const present: BackendName[] = [];
  for (const backend of ["tensorflow", "webgpu", "wasm", "cpu"] as const) {
    try {
      await useBackend({ backend });
      present.push(backend);
    } catch (error) {
      console.log(`skipped on ${backend}: ${(error as Error).message}`);
    }
  }
  return present;
}
