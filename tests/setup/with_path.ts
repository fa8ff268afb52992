import { join } from "node:path";

/** Why programs can't be stood in for by shell scripts. */
export const noShell = Deno.build.os === "windows" && "there is no /bin/sh";

/** Runs `use` where no other programs are found than these shell scripts, by name. */
export async function withPath<T>(
  programs: Record<string, string>,
  use: () => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir(), before = Deno.env.get("PATH") ?? "";
  for (const [name, script] of Object.entries(programs)) {
    await Deno.writeTextFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  Deno.env.set("PATH", folder);
  try {
    return await use();
  } finally {
    Deno.env.set("PATH", before);
    await Deno.remove(folder, { recursive: true });
  }
}
