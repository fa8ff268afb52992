import { statfsSync } from "node:fs";
import { join } from "node:path";
import { nativeFolder } from "../backend/native_library.ts";
import type { BackendDescription } from "../backend/use_backend.ts";
import { UserError } from "../errors.ts";
import { fileError } from "../io/file_error.ts";
import { firstMultiplication } from "./first_multiplication.ts";
import { type Machine, thisMachine } from "./machine.ts";
import { forgetStep, remainingSteps, type Report, runSteps } from "./run_steps.ts";
import { vendorWay } from "./vendor_way.ts";
import type { Way } from "./way.ts";
import { wheelWay } from "./wheel_way.ts";

/**
 * Makes TensorFlow run under Deno, in the project's `.native`: its GPU build where an NVIDIA driver
 * answers, else the vendor's own binary where it can be had and fits, else TensorFlow's wheel with
 * the npm package's binding compiled on the spot. Finished steps are kept, so that a second call
 * returns at once and an interrupted one goes on.
 *
 * @returns what runs, after a first multiplication.
 * @throws {UserError} when no way leads there, with the last one's reason.
 */
export async function setUpNative({ report }: { report: Report }): Promise<BackendDescription> {
  const folder = nativeFolder;
  try {
    await Deno.mkdir(folder, { recursive: true });
    using lock = await Deno.open(join(folder, "lock"), { create: true, write: true });
    await lock.lock(true); // one set-up at a time; the process's end frees it
    const ways = await waysFor(await thisMachine(), folder);
    return await goFirstPossible(ways, { folder, report });
  } catch (error) {
    throw fileError(error, { action: "write", path: folder });
  }
}

/**
 * Ways of equal worth stand together, better ones first. CUDA is for who has the driver, and stays
 * where it was set up once: a driver may be away for a day.
 */
async function waysFor(machine: Machine, folder: string): Promise<Way[][]> {
  const plain = { ...machine, nvidia: false };
  const onProcessor = [vendorWay(plain, folder), wheelWay(plain, folder)];
  const onGpu = wheelWay({ ...machine, nvidia: true }, folder);
  const isWanted = machine.nvidia || await isBegun(onGpu, folder);
  return isWanted ? [[onGpu], onProcessor] : [onProcessor];
}

type Place = { folder: string; report: Report };

/** Tells why a way failed before it tries the next; the last one's reason is thrown. */
async function goFirstPossible(groups: Way[][], place: Place): Promise<BackendDescription> {
  let reason: UserError | undefined;
  for (const ways of groups) {
    for (const way of await finishedOrAll(ways, place.folder)) {
      if (reason) place.report.line(reason.message);
      try {
        return await go(way, place);
      } catch (error) {
        const known = fileError(error, { action: "write", path: place.folder });
        if (!(known instanceof UserError)) throw error;
        reason = new UserError(`${way.name}: ${known.message}`, { cause: known });
      }
    }
  }
  throw reason;
}

/**
 * The way that was gone to its end before, alone, where there is one; else one that was begun comes
 * first, so that a change of its last step does not lead to another way.
 */
async function finishedOrAll(ways: Way[], folder: string): Promise<Way[]> {
  const begun: Way[] = [], fresh: Way[] = [];
  for (const way of ways) {
    if (await isFinished(way, folder)) return [way];
    (await isBegun(way, folder) ? begun : fresh).push(way);
  }
  return [...begun, ...fresh];
}

async function isBegun({ steps }: Way, folder: string): Promise<boolean> {
  return (await remainingSteps(steps, folder)).length < steps.length;
}

async function isFinished({ steps }: Way, folder: string): Promise<boolean> {
  return steps.length > 0 && (await remainingSteps(steps, folder)).length === 0;
}

async function go(way: Way, { folder, report }: Place): Promise<BackendDescription> {
  if (await isFinished(way, folder)) {
    try {
      const description = await firstMultiplication();
      report.line("All is there already.");
      return description;
    } catch (error) {
      report.line(`${(error as Error).message}; doing the last step again`);
      await forgetStep(way.steps.at(-1)!, folder);
    }
  }
  const remaining = await remainingSteps(way.steps, folder);
  const cost = await way.plan(remaining.map(({ name }) => name));
  const download = cost.downloadBytes > 0 ? megabytes(cost.downloadBytes) : "nothing left";
  report.line(
    `${way.name}: ${download} to download, ${megabytes(cost.keptBytes)} on disk in the end`,
  );
  checkDisk(folder, cost.peakBytes);
  await runSteps(way.steps, { folder, report });
  return await firstMultiplication();
}

/** Throws where a folder's disk has less room than is wanted. */
export function checkDisk(folder: string, wantedBytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= wantedBytes) return;
  const found = `wanted ${megabytes(wantedBytes)} of free disk, found ${megabytes(bavail * bsize)}`;
  throw new UserError(`Cannot unpack TensorFlow in "${folder}": ${found}`, { path: folder });
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
