import { createHash } from "node:crypto";
import { z } from "zod";
import { describeBackend } from "../backend/use_backend.ts";
import { writeFileAtomic } from "../io/write_atomic.ts";
import type { EncodedPair } from "../types.ts";
import type { Models } from "./build_models.ts";
import { makeSums } from "./pair_sums.ts";
import type { PreferenceBatch } from "./preference_batch.ts";
import { scoreBatches, type ScorePairsOptions } from "./score_pairs.ts";

const cacheSchema = z.object({
  key: z.string(),
  chosen: z.array(z.number()),
  rejected: z.array(z.number()),
  chosenTail: z.array(z.number()),
  rejectedTail: z.array(z.number()),
});

export type ReferenceOptions = Omit<ScorePairsOptions, "adapter"> & {
  /** A JSON file that keeps the numbers for the next run; without it nothing is kept. */
  cachePath?: string;
};

/**
 * The reference's log-probabilities of all pairs: from the file of an earlier run where weights,
 * tokens, backend and batch size are the same, computed and kept otherwise. Yields how many pairs are
 * done, from 0 on; nothing where all were kept.
 */
export async function* referenceBatch(
  models: Models,
  pairs: EncodedPair[],
  { cachePath, ...options }: ReferenceOptions,
): AsyncGenerator<number, PreferenceBatch> {
  const key = referenceKey(models, pairs, options);
  const cached = cachePath === undefined ? null : await readCache(cachePath, key, pairs.length);
  const { exact = true } = options;
  if (cached) return { pairs, reference: cached, exact };
  yield 0;
  const reference = yield* scoreBatches(models, pairs, { ...options, adapter: false });
  if (cachePath !== undefined) {
    const numbers = Object.entries(reference).map(([name, values]) => [name, [...values]]);
    await writeFileAtomic(cachePath, JSON.stringify({ key, ...Object.fromEntries(numbers) }));
  }
  return { pairs, reference, exact };
}

/** A hash of all that the numbers depend on, to the last bit: kernels and batches too. */
function referenceKey(
  { source, network }: Models,
  pairs: EncodedPair[],
  { batchSize, exact = true }: { batchSize: number; exact?: boolean },
): string {
  const { name, version, device, kernels } = describeBackend(), { precision } = network;
  return createHash("sha256").update(
    JSON.stringify([source.hash, name, version, device, kernels, batchSize, precision, exact]),
  )
    .update(hashJson(pairs)).digest("hex");
}

/** A hash of data as training sees it. */
export function hashJson(rows: unknown[]): string {
  const digest = createHash("sha256");
  for (const row of rows) digest.update(JSON.stringify(row));
  return digest.digest("hex");
}

async function readCache(path: string, key: string, size: number) {
  const text = await Deno.readTextFile(path).catch(() => null);
  if (text === null) return null;
  const parsed = cacheSchema.safeParse(parseOrNull(text));
  if (!parsed.success || parsed.data.key !== key) return null;
  const { key: _, ...sums } = parsed.data;
  if (Object.values(sums).some(({ length }) => length !== size)) return null;
  return makeSums((name) => Float64Array.from(sums[name]));
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
