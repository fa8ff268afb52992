import { join } from "node:path";
import { tinyFolder } from "../parity/tiny_model.ts";

const SPECIAL = ["<pad>", "<s>", "</s>"];
const LETTERS = " abcdefghijklmnopqrstuvwxyz0123456789.,:?";

/** A tokenizer.json that knows letters and digits, a token each. */
export function letterTokenizer(): Record<string, unknown> {
  const special = SPECIAL.map((content, id) => ({
    id,
    content,
    special: true,
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  }));
  const vocab = Object.fromEntries([...SPECIAL, ...LETTERS].map((text, id) => [text, id]));
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special,
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: "Fuse" },
    model: { type: "BPE", unk_token: "<pad>", vocab, merges: [] },
  };
}

/** Writes a tiny model, a Llama unless another is named, with that tokenizer as a Hugging Face folder. */
export async function writeTinyFolder(folder: string, model = "mha_tied"): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  for (const name of ["config.json", "model.safetensors"]) {
    await Deno.copyFile(join(tinyFolder(model), name), join(folder, name));
  }
  await writeJson(join(folder, "tokenizer.json"), letterTokenizer());
  return folder;
}

/** Some triplets that {@link letterTokenizer} can read. */
export const TRIPLETS = ["fever", "cough", "knee pain", "a rash", "asthma"].map((fact, i) => ({
  prompt: `note: ${fact} for ${i + 2} days. summary:`,
  chosen: ` ${fact}, ${i + 2} days.`,
  rejected: ` ${fact}, ${i + 3} days.`,
}));

/** The chosen answers as SFT examples. */
export const EXAMPLES = TRIPLETS.map(({ prompt, chosen }) => ({ prompt, completion: chosen }));

export async function writeRows(path: string, rows: unknown[]): Promise<string> {
  await Deno.writeTextFile(path, rows.map((row) => JSON.stringify(row) + "\n").join(""));
  return path;
}

export async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(path, JSON.stringify(value));
}
