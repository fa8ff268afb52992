import { commandRuns } from "./run_command.ts";

/** The computer, as far as it decides what can run on it. */
export type Machine = {
  os: typeof Deno.build.os;
  arch: typeof Deno.build.arch;
  /** An NVIDIA driver answers. */
  nvidia: boolean;
};

/** Looks at the computer that this runs on. */
export async function thisMachine(): Promise<Machine> {
  const { os, arch } = Deno.build;
  return { os, arch, nvidia: await commandRuns("nvidia-smi", ["-L"]) };
}
