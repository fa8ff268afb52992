import { join, relative } from "node:path";
import { UserError } from "../errors.ts";
import type { FloatType } from "../io/half.ts";
import { fileError } from "../io/file_error.ts";
import { readPeftAdapter } from "../io/peft_adapter.ts";
import { readJsonObject } from "../io/read_json.ts";
import { realPath } from "../io/real_path.ts";
import { writeFolderAtomic } from "../io/write_atomic.ts";
import { generationConfigOf } from "../model/convert_gguf.ts";
import { parseModelConfig } from "../model/parse_model_config.ts";
import { writeModelFiles } from "../model/write_model_files.ts";
import {
  checkVocabulary,
  exists,
  isAdapterFolder,
  type OpenedSource,
  openSource,
} from "../train/load_source.ts";

/** What merged weights can be stored as. */
export const mergeDtypes = ["keep", "float32", "bfloat16", "float16"] as const;
/** One of {@link mergeDtypes}. */
export type MergeDtype = typeof mergeDtypes[number];

/** Options of {@link mergeAdapter}. */
export type MergeAdapterOptions = {
  /** The model under the adapter; found through `adapter_config.json` where left out. */
  modelPath?: string;
  /**
   * What weights are stored as. `keep` stores each as the base does, and what a GGUF base has
   * quantised as float32. Default `keep`.
   */
  dtype?: MergeDtype;
  /** Weights above so many bytes go into several files. Default 5 GB. */
  maxShardBytes?: number;
  onProgress?: (progress: { doneBytes: number; totalBytes: number }) => void;
  signal?: AbortSignal;
};

/** What {@link mergeAdapter} wrote. */
export type MergedModel = {
  /** The model under the adapter. */
  basePath: string;
  /** The names of the weights' files. */
  files: string[];
  /** Bytes of the weights. */
  sizeBytes: number;
  /** Linear layers that the adapter changed. */
  modules: number;
};

/**
 * Adds an adapter to its model and writes the result as a Hugging Face folder that stands alone:
 * weights, config, generation config, tokenizer with its chat template. The weights are read, changed
 * and written some megabytes at a time, so that memory doesn't grow with the model.
 *
 * **Source**: LoRA, arXiv 2106.09685: `W + scale B A`; the file layout is transformers'.
 * **Shapes and dtypes**: sums are float32, then rounded to the stored dtype, to the nearest, ties to
 * even.
 * **Memory**: nothing on the compute backend.
 *
 * @param adapterPath A folder in PEFT's layout.
 * @param outputDir Complete or absent; a model that stands there is replaced.
 * @throws {UserError} when the base isn't found, the adapter doesn't fit, a weight doesn't fit into
 * float16, or the folder can't be written or is none that may be replaced.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { buildModels } from "../train/build_models.ts";
 * import { loadModels } from "../train/load_models.ts";
 * import { saveAdapter } from "../train/save_model.ts";
 * import { mergeAdapter } from "./merge_adapter.ts";
 * const folder = await Deno.makeTempDir();
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * await saveAdapter(models, `${folder}/adapter`);
 * const { files } = await mergeAdapter(`${folder}/adapter`, `${folder}/merged`);
 * assert.deepEqual(files, ["model.safetensors"]);
 * using merged = await loadModels({ modelPath: `${folder}/merged` });
 * assert.equal(merged.network.weights.size, models.network.weights.size);
 * ```
 */
export async function mergeAdapter(
  adapterPath: string,
  outputDir: string,
  { modelPath, dtype = "keep", maxShardBytes = 5e9, onProgress, signal }: MergeAdapterOptions = {},
): Promise<MergedModel> {
  if (!await isAdapterFolder(adapterPath)) {
    throw new UserError(
      `Cannot merge "${adapterPath}": wanted a folder with an adapter_config.json and no config.json`,
      { path: adapterPath, field: "adapter_path" },
    );
  }
  const source = await openSource(adapterPath, { basePath: await plainModel(modelPath) });
  const { checkpoint, tokenizer, adapter, basePath } = source;
  try {
    checkVocabulary(tokenizer, parseModelConfig(checkpoint.config, basePath), adapterPath);
    await checkTarget(outputDir, [adapterPath, basePath]);
    const { tensors } = checkpoint;
    const dtypeOf = (name: string) => dtype === "keep" ? kept(tensors.dtype(name)) : types[dtype];
    const generationConfig = await generationConfigOfSource(source);
    let written: { files: string[]; bytes: number };
    await writeFolderAtomic(outputDir, async (temporary) => {
      written = await writeModelFiles(temporary, {
        config: checkpoint.config,
        generationConfig,
        tokenizerFiles: tokenizer.files,
        tensors,
      }, {
        dtypeOf,
        maxShardBytes,
        onProgress: (doneBytes, totalBytes) => onProgress?.({ doneBytes, totalBytes }),
        signal,
      });
    });
    const { files, bytes: sizeBytes } = written!;
    return { basePath, files, sizeBytes, modules: adapter!.modules.length };
  } finally {
    checkpoint.tensors.close();
  }
}

const types: Record<Exclude<MergeDtype, "keep">, FloatType> = {
  float32: "F32",
  bfloat16: "BF16",
  float16: "F16",
};

/** What a checkpoint's dtype is kept as: what is quantised has no other home than float32. */
function kept(dtype: string): FloatType {
  return dtype === "F16" || dtype === "BF16" ? dtype : "F32";
}

/** The model that a saved adapter updates: where a Stage A adapter is named, the model under it. */
async function plainModel(path: string | undefined): Promise<string | undefined> {
  if (path === undefined || !await isAdapterFolder(path)) return path;
  return (await readPeftAdapter(path)).basePath ?? path;
}

/** What the base says of generation, and the adapter's folder over it. */
async function generationConfigOfSource(
  { basePath, path, checkpoint, tokenizer }: OpenedSource,
): Promise<Record<string, unknown>> {
  const { eosId, eosIds } = tokenizer;
  let config: Record<string, unknown> = {
    ...generationConfigOf(checkpoint.config),
    eos_token_id: eosIds.length > 1 ? eosIds : eosId,
  };
  for (const folder of [basePath, path]) {
    const file = join(folder, "generation_config.json");
    if (await exists(file)) config = { ...config, ...await readJsonObject(file) };
  }
  return config;
}

/** What a merged folder consists of: a folder with anything else in it is not ours to replace. */
const OURS =
  /^(model.*\.safetensors(\.index\.json)?|(generation_)?config\.json|tokenizer(_config)?\.json|special_tokens_map\.json|chat_template\.jinja|SOURCE\.json)$/;

/** Refuses a target that would destroy what is read, or what no merge has written. */
async function checkTarget(outputDir: string, reads: string[]): Promise<void> {
  const fail = (reason: string) =>
    new UserError(`Cannot merge into "${outputDir}": ${reason}; name another --output_dir`, {
      path: outputDir,
      field: "output_dir",
    });
  const output = await realPath(outputDir);
  for (const path of reads) {
    const inside = relative(output, await realPath(path));
    if (!inside.startsWith("..")) throw fail(`"${path}" is read from there`);
  }
  const foreign = await firstForeign(outputDir);
  if (foreign) throw fail(`it holds "${foreign}", which is no part of a model`);
}

async function firstForeign(folder: string): Promise<string | undefined> {
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (!isFile || !OURS.test(name)) return name;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw fileError(error, { action: "write", path: folder });
    }
  }
}
