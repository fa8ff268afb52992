import { readTable } from "../lib/data/read_table.ts";
import { tripletsFromTable } from "../lib/negatives/triplets_from_table.ts";
import { encodePair } from "../lib/tokenizer/encode_pair.ts";
import { loadTokenizer } from "../lib/tokenizer/load_tokenizer.ts";
import type { EncodedPair } from "../lib/types.ts";

/** The same pair as text, for TRL, and as token ids, for us. */
export type BenchPair = {
  text: { prompt: string; chosen: string; rejected: string };
  encoded: EncodedPair;
};

export type MakeBenchPairsOptions = { modelPath: string; count: number; maxTokens: number };

export const TABLE = new URL("../../shared/data/mts-dialog/train.csv", import.meta.url).pathname;

/**
 * The first pairs of MTS-Dialog that fit: the dialogue is the prompt, the doctor's note is chosen,
 * and the same note with one clinical detail wrong is rejected.
 */
export async function makeBenchPairs(
  { modelPath, count, maxTokens }: MakeBenchPairsOptions,
): Promise<BenchPair[]> {
  const { triplets } = tripletsFromTable(await readTable(TABLE), {
    promptColumn: "dialogue",
    chosenColumn: "section_text",
    instruction: "Write the clinical note of this conversation.",
  });
  const tokenizer = await loadTokenizer(modelPath);
  const pairs = triplets.map(({ prompt, chosen, rejected }, index) => {
    const text = { prompt, chosen, rejected };
    return { text, encoded: encodePair(tokenizer, text, { index }) };
  }).filter(({ encoded: { prompt, chosen, rejected } }) =>
    prompt.length + Math.max(chosen.length, rejected.length) <= maxTokens
  );
  if (pairs.length >= count) return pairs.slice(0, count);
  throw new Error(`MTS-Dialog gives ${pairs.length} pairs of at most ${maxTokens} tokens`);
}
