import { join } from "node:path";
import { writeSafetensors } from "../io/safetensors.ts";
import { writeFileAtomic } from "../io/write_atomic.ts";
import { tokenizerFromGguf } from "../tokenizer/tokenizer_from_gguf.ts";
import { openCheckpoint } from "./open_checkpoint.ts";

export type ConvertGgufOptions = {
  /** An existing folder. */
  folder: string;
  /** Called after every tensor. */
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
    const { bos_token_id, eos_token_id, pad_token_id } = config;
    const files = {
      "config.json": config,
      "generation_config.json": { bos_token_id, eos_token_id, pad_token_id },
      "tokenizer.json": tokenizer,
      "tokenizer_config.json": tokenizerConfig,
    };
    for (const [name, content] of Object.entries(files)) {
      await writeFileAtomic(join(folder, name), JSON.stringify(content, null, 2) + "\n");
    }
    const bytes = (name: string) => tensors.shape(name).reduce((a, b) => a * b, 4);
    const totalBytes = tensors.names().reduce((sum, name) => sum + bytes(name), 0);
    let doneBytes = 0;
    const lazy = tensors.names().map((name) => {
      const data = async () => {
        const values = await tensors.read(name);
        onProgress?.({ doneBytes: doneBytes += values.byteLength, totalBytes });
        return values;
      };
      return [name, { shape: tensors.shape(name), data }] as const;
    });
    await writeSafetensors(join(folder, "model.safetensors"), lazy);
  } finally {
    tensors.close();
  }
}
