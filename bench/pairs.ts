import { parse } from "csv-parse/sync";
import { createRandom } from "../lib/random.ts";
import { encodePair } from "../lib/tokenizer/encode_pair.ts";
import { loadTokenizer } from "../lib/tokenizer/load_tokenizer.ts";
import type { EncodedPair } from "../lib/types.ts";

/** The same pair as text, for TRL, and as token ids, for us. */
export type BenchPair = {
  text: { prompt: string; chosen: string; rejected: string };
  encoded: EncodedPair;
};

export type MakeBenchPairsOptions = { modelPath: string; count: number; maxTokens: number };

const ROWS = new URL("../../shared/data/mts-dialog/train.csv", import.meta.url);

/**
 * The first pairs of MTS-Dialog that fit: the dialogue is the prompt, the doctor's note is chosen,
 * and the same note with one number changed is rejected.
 */
export async function makeBenchPairs(
  { modelPath, count, maxTokens }: MakeBenchPairsOptions,
): Promise<BenchPair[]> {
  const rows: Record<string, string>[] = parse(await Deno.readTextFile(ROWS), {
    columns: true,
    bom: true,
  });
  const tokenizer = await loadTokenizer(modelPath), random = createRandom(1);
  const pairs: BenchPair[] = [];
  for (const [index, row] of rows.entries()) {
    const numbers = [...row.section_text.matchAll(/\d+/g)];
    if (numbers.length === 0) continue;
    const number = numbers[random.below(numbers.length)];
    const text = {
      prompt: `${row.dialogue}\n\nClinical note:`,
      chosen: ` ${row.section_text}`,
      rejected: ` ${replaceNumber(row.section_text, number, 1 + random.below(9))}`,
    };
    const encoded = encodePair(tokenizer, text, { index });
    const { prompt, chosen, rejected } = encoded;
    if (prompt.length + Math.max(chosen.length, rejected.length) > maxTokens) continue;
    pairs.push({ text, encoded });
    if (pairs.length === count) return pairs;
  }
  throw new Error(`MTS-Dialog gives ${pairs.length} pairs of at most ${maxTokens} tokens`);
}

function replaceNumber(text: string, number: RegExpExecArray, step: number): string {
  const end = number.index + number[0].length;
  return text.slice(0, number.index) + (Number(number[0]) + step) + text.slice(end);
}
