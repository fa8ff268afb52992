import { join } from "node:path";

/** How far a step is, in bytes, for a progress bar. */
export type Progress = { step: string; doneBytes: number; totalBytes: number };

/** What a step may tell whoever watches. */
export type Report = { line(text: string): void; progress(progress: Progress): void };

/** One stage of a set-up. Its files are worth keeping until a later stage has used them up. */
export type Step = {
  name: string;
  /** What it makes and from what: a different key makes it run again. */
  key: string;
  /** Does the work; returns the files below the folder that must be whole for it to count as done. */
  run(report: Report): Promise<string[]>;
};

type Stamp = { key: string; files: Record<string, number> };

/**
 * Runs the steps of a chain in order. What was finished before is skipped, what was interrupted is
 * done again: a step counts as done when its stamp, written last, names its key and every file that
 * it left still has the size that it had. Each step builds on the one before, so the work starts
 * after the last one that is done.
 *
 * @param steps in order.
 * @param options `folder` holds the stamps; `report` is told what runs.
 * @returns the names of the steps that ran.
 */
export async function runSteps(
  steps: Step[],
  { folder, report }: { folder: string; report: Report },
): Promise<string[]> {
  await Deno.mkdir(join(folder, "steps"), { recursive: true });
  const remaining = await remainingSteps(steps, folder);
  for (const step of remaining) {
    await forgetStep(step, folder);
    const paths = await step.run(report);
    const sizes = await Promise.all(paths.map((path) => sizeOf(path, folder)));
    const files = Object.fromEntries(paths.map((path, i) => [path, sizes[i]]));
    const text = JSON.stringify({ key: step.key, files } satisfies Stamp, null, 2) + "\n";
    const stamp = stampPath(folder, step);
    await Deno.writeTextFile(`${stamp}.tmp`, text);
    await Deno.rename(`${stamp}.tmp`, stamp);
  }
  return remaining.map((step) => step.name);
}

/** Makes a step that was done run again. */
export async function forgetStep(step: Step, folder: string): Promise<void> {
  await Deno.remove(stampPath(folder, step)).catch(ignoreMissing);
}

/** The steps after the last one that is done. */
export async function remainingSteps(steps: Step[], folder: string): Promise<Step[]> {
  for (let i = steps.length; i > 0; i--) {
    if (await isDone(steps[i - 1], folder)) return steps.slice(i);
  }
  return steps;
}

async function isDone(step: Step, folder: string): Promise<boolean> {
  try {
    const stamp: Stamp = JSON.parse(await Deno.readTextFile(stampPath(folder, step)));
    if (stamp.key !== step.key) return false;
    for (const [path, size] of Object.entries(stamp.files)) {
      if (await sizeOf(path, folder) !== size) return false;
    }
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return false;
    throw error;
  }
}

async function sizeOf(path: string, folder: string): Promise<number> {
  return (await Deno.stat(join(folder, path))).size;
}

function stampPath(folder: string, { name }: Step): string {
  return join(folder, "steps", `${name}.json`);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
