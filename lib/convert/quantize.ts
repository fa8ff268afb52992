import { basename } from "node:path";
import { UserError } from "../errors.ts";
import { realPath } from "../io/real_path.ts";
import { countOf } from "../io/tensor_source.ts";
import { type GgufMetadata, writeGguf } from "../io/write_gguf.ts";
import { ggufMetadata } from "../model/gguf_metadata.ts";
import { tensorsToGguf } from "../model/gguf_tensors.ts";
import { checkedWeights } from "../model/load_network.ts";
import { parseModelConfig } from "../model/parse_model_config.ts";
import { tokenizerToGguf } from "../tokenizer/tokenizer_to_gguf.ts";
import { checkVocabulary, openSource } from "../train/load_source.ts";
import { mixtures, type QuantType, type TensorFormat, tensorFormat } from "./quant_types.ts";

/** Options of {@link quantize}. */
export type QuantizeOptions = {
  /** The mixture of formats, by llama.cpp's name. */
  type: QuantType;
  /** Every matrix in the mixture's own format, the head too: smaller, and less accurate. */
  pure?: boolean;
  onProgress?: (progress: { doneBytes: number; totalBytes: number }) => void;
  signal?: AbortSignal;
};

/** What {@link quantize} wrote. */
export type Quantized = {
  type: QuantType;
  /** Bytes of the file. */
  fileBytes: number;
  /** Bytes of the weights in it. */
  weightBytes: number;
  /** Bytes of the same weights as float32. */
  float32Bytes: number;
  /** Tokens of a text that the file's readers compute as the model does. */
  contextLength: number;
  /** The model's own; more where its attention has windows that GGUF's architecture doesn't know. */
  modelContextLength: number;
  /** Tensors by the format that they are stored as. */
  formats: Record<string, number>;
  /** Tensors whose rows didn't fit the blocks of the format that was wanted for them. */
  fallbacks: { tensor: string; columns: number; wanted: string; used: string }[];
};

/**
 * Writes a model as one GGUF file (version 3) for llama.cpp and what is built on it: weights, config,
 * tokenizer, chat template. Weights are read, changed and written some megabytes at a time.
 *
 * **Source**: ggml's `docs/gguf.md`, llama.cpp's `convert_hf_to_gguf.py` and `llama-quant.cpp`.
 * **Shapes and dtypes**: matrices in `type`'s formats, vectors float32.
 * **Memory**: nothing on the compute backend.
 *
 * @param modelPath A Hugging Face folder, an adapter folder (its update is added) or a GGUF file.
 * @param output The file; it appears complete or not at all.
 * @throws {UserError} when the model can't be opened, what its config or tokenizer asks for has no word
 * in GGUF, a weight is no finite number, or the file can't be written.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadModels } from "../train/load_models.ts";
 * import { quantize } from "./quantize.ts";
 * const path = await Deno.makeTempDir() + "/model.gguf";
 * const made = await quantize("models/sft_specialist/final_model", path, { type: "q8_0" });
 * assert(made.float32Bytes / made.weightBytes > 3.7); // 8 bits and a scale for each 32 numbers
 * using models = await loadModels({ modelPath: path });
 * assert.equal(models.network.config.layers, 4);
 * ```
 */
export async function quantize(
  modelPath: string,
  output: string,
  { type, pure = false, onProgress, signal }: QuantizeOptions,
): Promise<Quantized> {
  const { checkpoint, tokenizer, basePath } = await openSource(modelPath);
  try {
    if (await realPath(output) === await realPath(basePath)) {
      throw new UserError(`Cannot write "${output}": it is the model that is read; name another`, {
        path: output,
        field: "output",
      });
    }
    const config = parseModelConfig(checkpoint.config, basePath);
    checkVocabulary(tokenizer, config, modelPath);
    const header = ggufMetadata(checkpoint.config, basePath), { architecture, metadata } = header;
    const tensors = tensorsToGguf(checkpoint.tensors, {
      ...header,
      family: config.family,
      path: basePath,
      names: [...checkedWeights(checkpoint).keys()],
      headsOf: (key) => (metadata[`${architecture}.${key}`] as { u32: number }).u32,
    });
    const formats = new Map<string, TensorFormat>(
      tensors.names().map((name) => {
        const options = { type, pure, tied: config.tiedHead, layers: config.layers };
        return [name, tensorFormat(name, tensors.shape(name), options)];
      }),
    );
    const weightBytes = await writeGguf(output, tensors, {
      metadata: {
        ...metadata,
        ...general(modelPath, type),
        ...tokenizerToGguf(tokenizer, { vocabSize: config.vocabSize, path: modelPath }),
      },
      typeOf: (name) => formats.get(name)!.format,
      onProgress: (doneBytes, totalBytes) => onProgress?.({ doneBytes, totalBytes }),
      signal,
    });
    const numbers = tensors.names().reduce((sum, name) => sum + countOf(tensors.shape(name)), 0);
    return {
      type,
      fileBytes: (await Deno.stat(output)).size,
      weightBytes,
      float32Bytes: 4 * numbers,
      contextLength: header.contextLength,
      modelContextLength: config.maxPositions,
      ...summary(formats, (name) => tensors.shape(name).at(-1)!),
    };
  } finally {
    checkpoint.tensors.close();
  }
}

/** What every GGUF file says of itself. */
function general(modelPath: string, type: QuantType): GgufMetadata {
  return {
    "general.type": { text: "model" },
    "general.name": { text: basename(modelPath).replace(/\.gguf$/, "") },
    "general.file_type": { u32: mixtures[type].id },
    "general.quantization_version": { u32: 2 },
  };
}

function summary(
  formats: Map<string, TensorFormat>,
  columnsOf: (name: string) => number,
): Pick<Quantized, "formats" | "fallbacks"> {
  const counts: Record<string, number> = {};
  const fallbacks: Quantized["fallbacks"] = [];
  for (const [tensor, { format, wanted }] of formats) {
    counts[format] = (counts[format] ?? 0) + 1;
    if (wanted) fallbacks.push({ tensor, columns: columnsOf(tensor), wanted, used: format });
  }
  return { formats: counts, fallbacks };
}
