import { createHash } from "node:crypto";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { readPeftAdapter } from "../io/peft_adapter.ts";
import type { LoraAdapter } from "../lora/lora_adapter.ts";
import { adapterFromPeft } from "../lora/peft_format.ts";
import { mergedTensors } from "../lora/merge_adapter.ts";
import { disposeNetwork, loadNetwork } from "../model/load_network.ts";
import { familyTensors } from "../model/family_tensors.ts";
import type { ModelConfig } from "../model/model_config.ts";
import { parseModelConfig } from "../model/parse_model_config.ts";
import type { Network } from "../model/network.ts";
import { type Checkpoint, openCheckpoint } from "../model/open_checkpoint.ts";
import { loadTokenizer } from "../tokenizer/load_tokenizer.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer/tokenizer.ts";
import { tokenizerFromGguf } from "../tokenizer/tokenizer_from_gguf.ts";

/** Where a model's weights came from. */
export type ModelSource = {
  /** What the user named: a model folder, a GGUF file or an adapter folder. */
  path: string;
  /** The model itself: `path`, or what the adapter there adapts. */
  basePath: string;
  /** The adapter at `path`, which now is part of the weights; null where `path` is a model. */
  adapter: LoraAdapter | null;
  /** `config.json` of the model. */
  config: Record<string, unknown>;
  /** Identity of the weights: base and adapter. */
  hash: string;
};

/** A model that is opened: its weights are read when asked for, its adapter's update in them. */
export type OpenedSource = {
  /** What the user named, as in {@link ModelSource}. */
  path: string;
  basePath: string;
  adapter: LoraAdapter | null;
  /** `tensors` hold the adapter's update; the caller closes them. */
  checkpoint: Checkpoint;
  tokenizer: Tokenizer;
};

type PeftBase = Awaited<ReturnType<typeof readPeftAdapter>>;

/**
 * Opens weights and tokenizer; an adapter at `path` is added to the weights of its base.
 *
 * @param options.basePath What the adapter at `path` adapts; found through its config where left out.
 */
export async function openSource(
  path: string,
  options: { basePath?: string } = {},
): Promise<OpenedSource> {
  const peft = await isAdapterFolder(path) ? await readPeftAdapter(path) : null;
  const basePath = peft ? options.basePath ?? basePathOf(peft, path) : path;
  const checkpoint = await openCheckpoint(basePath);
  try {
    const adapter = peft && adapterFromPeft(peft);
    const tokenizer = await tokenizerOf(checkpoint, peft ? path : null);
    const config = parseModelConfig(checkpoint.config, checkpoint.path);
    const own = familyTensors(checkpoint.tensors, config);
    const tensors = adapter ? mergedTensors(own, adapter, config) : own;
    return { path, basePath, adapter, tokenizer, checkpoint: { ...checkpoint, tensors } };
  } catch (error) {
    checkpoint.tensors.close();
    throw error;
  }
}

/**
 * Loads weights and tokenizer; an adapter at `path` is added to the weights of its base. `accept` may
 * throw before the weights are read.
 */
export async function loadSource(
  path: string,
  accept?: (config: ModelConfig) => void,
): Promise<{ network: Network; tokenizer: Tokenizer; source: ModelSource }> {
  const { checkpoint, tokenizer, adapter, basePath } = await openSource(path);
  try {
    accept?.(parseModelConfig(checkpoint.config, checkpoint.path));
    const network = await loadNetwork(checkpoint);
    try {
      checkVocabulary(tokenizer, network.config, path);
      const hash = await checkpoint.hash() + (adapter ? `+${hashAdapter(adapter)}` : "");
      return {
        network,
        tokenizer,
        source: { path, basePath, adapter, config: checkpoint.config, hash },
      };
    } catch (error) {
      disposeNetwork(network);
      throw error;
    }
  } finally {
    checkpoint.tensors.close();
  }
}

/**
 * Reads a model's sizes and its tokenizer, without its weights: enough to encode rows and for
 * `estimate`.
 *
 * @param path A model folder, a `.gguf` file or an adapter folder, as `buildModels` takes it.
 * @throws {UserError} when it can't be read or its family is not supported.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { describeModel } from "./load_source.ts";
 * const { config } = await describeModel("models/sft_specialist/final_model");
 * assert.equal(config.family, "llama");
 * ```
 */
export async function describeModel(
  path: string,
): Promise<{ config: ModelConfig; tokenizer: Tokenizer }> {
  const { checkpoint, tokenizer } = await openSource(path);
  checkpoint.tensors.close();
  return { config: parseModelConfig(checkpoint.config, checkpoint.path), tokenizer };
}

function basePathOf({ basePath, config }: PeftBase, path: string): string {
  if (basePath !== null) return basePath;
  throw new UserError(
    `Cannot load the adapter "${path}": its adapter_config.json names the base model ` +
      `${JSON.stringify(config.base_model_name_or_path)}, and no such folder is here; fetch that ` +
      "model, or name its folder there",
    { path, field: "base_model_name_or_path" },
  );
}

function hashAdapter({ config, parameters }: LoraAdapter): string {
  const digest = createHash("sha256").update(JSON.stringify(config));
  for (const [name, { data }] of parameters) {
    digest.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return digest.digest("hex");
}

/** Whether a folder holds an adapter and no model. */
export async function isAdapterFolder(path: string): Promise<boolean> {
  return await exists(join(path, "adapter_config.json")) &&
    !await exists(join(path, "config.json"));
}

async function tokenizerOf(checkpoint: Checkpoint, adapterPath: string | null): Promise<Tokenizer> {
  if (adapterPath && await exists(join(adapterPath, "tokenizer.json"))) {
    return await loadTokenizer(adapterPath);
  }
  if (!checkpoint.ggufMetadata) return await loadTokenizer(checkpoint.path);
  const parts = tokenizerFromGguf(checkpoint.ggufMetadata, checkpoint.path);
  return createTokenizer(parts, checkpoint.path);
}

/**
 * Holds a tokenizer against the embedding.
 *
 * @throws {UserError} when it knows more tokens than the model.
 */
export function checkVocabulary(
  tokenizer: Tokenizer,
  { vocabSize }: ModelConfig,
  path: string,
): void {
  if (tokenizer.vocabSize <= vocabSize) return;
  throw new UserError(
    `Cannot use the tokenizer of "${path}": it knows ${tokenizer.vocabSize} tokens, the model's ` +
      `embedding ${vocabSize}`,
    { path, field: "vocab_size" },
  );
}

/** Whether a file or folder can be seen. */
export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
