import { tokenizerFromGguf } from "../tokenizer/tokenizer_from_gguf.ts";
import { openCheckpoint } from "./open_checkpoint.ts";
import { writeModelFiles } from "./write_model_files.ts";

export type ConvertGgufOptions = {
  /** An existing folder. */
  folder: string;
  /** Called after every piece. */
  onProgress?: (progress: { doneBytes: number; totalBytes: number }) => void;
};

/**
 * Turns a GGUF file into a Hugging Face folder: config, tokenizer, and the weights as float32, which
 * holds every value that the quantised file stands for.
 *
 * @throws {UserError} Where the file can't be opened or the folder can't be written.
 */
export async function convertGguf(
  path: string,
  { folder, onProgress }: ConvertGgufOptions,
): Promise<void> {
  const { config, tensors, ggufMetadata } = await openCheckpoint(path);
  try {
    const { tokenizer, config: tokenizerConfig } = tokenizerFromGguf(ggufMetadata!, path);
    const json = (value: unknown) => JSON.stringify(value, null, 2) + "\n";
    await writeModelFiles(folder, {
      config,
      generationConfig: generationConfigOf(config),
      tokenizerFiles: {
        "tokenizer.json": json(tokenizer),
        "tokenizer_config.json": json(tokenizerConfig),
      },
      tensors,
    }, {
      dtypeOf: () => "F32",
      maxShardBytes: Infinity,
      onProgress: (doneBytes, totalBytes) => onProgress?.({ doneBytes, totalBytes }),
    });
  } finally {
    tensors.close();
  }
}

/** What a `generation_config.json` says at least: the ids that a config names. */
export function generationConfigOf(config: Record<string, unknown>): Record<string, unknown> {
  const { bos_token_id, eos_token_id, pad_token_id } = config;
  return { bos_token_id, eos_token_id, pad_token_id };
}
