import { join } from "node:path";

/** Reports twice a second how many bytes lie under `folder`; returns what ends that. */
export function watchFolder(folder: string, onBytes: (count: number) => void): () => void {
  const timer = setInterval(() => onBytes(folderBytes(folder)), 500);
  return () => clearInterval(timer);
}

/** The size of all files under a folder; those that vanish meanwhile count nothing. */
function folderBytes(folder: string): number {
  let total = 0;
  try {
    for (const entry of Deno.readDirSync(folder)) {
      const path = join(folder, entry.name);
      total += entry.isDirectory ? folderBytes(path) : Deno.statSync(path).size;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return total;
}
