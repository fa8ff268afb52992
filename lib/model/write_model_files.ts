import { join } from "node:path";
import type { FloatType } from "../io/half.ts";
import { writeFileAtomic } from "../io/write_atomic.ts";
import { writeShardedSafetensors, type WriteShardsOptions } from "../io/write_safetensors.ts";
import type { TensorSource } from "../types.ts";

/** A whole model, ready to be written. */
export type ModelFiles = {
  /** `config.json`; its dtype is set to what most of the weights are stored as. */
  config: Record<string, unknown>;
  generationConfig: Record<string, unknown> | null;
  /** Contents by file name. */
  tokenizerFiles: Record<string, string>;
  tensors: TensorSource;
};

/**
 * Writes a model as Hugging Face lays it out into a folder that is there already: config, generation
 * config, tokenizer, and the weights some megabytes at a time.
 *
 * @returns The names of the weights' files and the bytes of their tensors.
 * @throws {UserError} Where a file can't be written or a weight doesn't fit its dtype.
 */
export async function writeModelFiles(
  folder: string,
  { config, generationConfig, tokenizerFiles, tensors }: ModelFiles,
  options: WriteShardsOptions,
): Promise<{ files: string[]; bytes: number }> {
  const json = (value: unknown) => JSON.stringify(value, null, 2) + "\n";
  const files: Record<string, string> = {
    "config.json": json(withDtype(config, mostOf(tensors, options.dtypeOf))),
    ...(generationConfig && { "generation_config.json": json(generationConfig) }),
    ...tokenizerFiles,
  };
  for (const [name, content] of Object.entries(files)) {
    await writeFileAtomic(join(folder, name), content);
  }
  return await writeShardedSafetensors(folder, tensors, options);
}

const dtypeNames: Record<FloatType, string> = { F32: "float32", F16: "float16", BF16: "bfloat16" };

/** The dtype under the key that the config uses; `torch_dtype` is the older one. */
function withDtype(config: Record<string, unknown>, type: FloatType): Record<string, unknown> {
  const key = "torch_dtype" in config ? "torch_dtype" : "dtype";
  return { ...config, [key]: dtypeNames[type] };
}

/** What most numbers are stored as. */
function mostOf(tensors: TensorSource, dtypeOf: (name: string) => FloatType): FloatType {
  const counts: Record<FloatType, number> = { F32: 0, F16: 0, BF16: 0 };
  for (const name of tensors.names()) {
    counts[dtypeOf(name)] += tensors.shape(name).reduce((a, b) => a * b, 1);
  }
  const types = Object.keys(counts) as FloatType[];
  return types.reduce((most, type) => counts[type] > counts[most] ? type : most);
}
