import { type BackendName, useBackend } from "../backend/use_backend.ts";
import { UserError } from "../errors.ts";
import { readPeftAdapter } from "../io/peft_adapter.ts";
import type { LoraAdapter } from "../lora/lora_adapter.ts";
import { checkAdapter } from "../lora/merge_adapter.ts";
import { adapterFromPeft } from "../lora/peft_format.ts";
import { disposeNetwork } from "../model/load_network.ts";
import type { Models } from "./build_models.ts";
import { loadSource } from "./load_source.ts";
import { trainableAdapter } from "./trainable.ts";

export type LoadModelsOptions = {
  /** The reference: a model folder, a GGUF file or an adapter folder. Default: what `adapterPath` adapts. */
  modelPath?: string;
  /** A trained adapter in PEFT's layout: the policy. Without it policy and reference are one. */
  adapterPath?: string;
  backend?: BackendName | "auto";
};

/**
 * Loads what was trained: the model as the reference, with the saved adapter as the policy over it.
 *
 * **Memory**: as `buildModels`.
 *
 * @throws {UserError} when neither path is given, a file can't be read, or the adapter doesn't fit.
 */
export async function loadModels(options: LoadModelsOptions): Promise<Models> {
  const { modelPath, adapterPath } = options;
  const peft = adapterPath === undefined ? null : await readPeftAdapter(adapterPath);
  const basePath = modelPath ?? peft?.basePath;
  if (!basePath) throw noBase(peft?.config.base_model_name_or_path ?? null, adapterPath);
  await useBackend({ backend: options.backend });
  const { network, tokenizer, source } = await loadSource(basePath);
  const adapter: LoraAdapter = peft ? adapterFromPeft(peft) : EMPTY;
  try {
    checkAdapter(network, adapter);
  } catch (error) {
    disposeNetwork(network);
    throw error;
  }
  const trainable = trainableAdapter(adapter);
  return {
    network,
    tokenizer,
    source,
    adapter,
    trainable,
    optimizer: null,
    [Symbol.dispose]() {
      trainable.dispose();
      disposeNetwork(network);
    },
  };
}

/** An adapter that changes nothing. */
const EMPTY: LoraAdapter = {
  config: { rank: 1, alpha: 1, targetModules: [], rsLora: false },
  modules: [],
  parameters: new Map(),
};

function noBase(named: string | null, adapterPath: string | undefined): UserError {
  if (adapterPath === undefined) {
    return new UserError(
      "Cannot load a model: wanted a model path or an adapter path, found neither",
    );
  }
  return new UserError(
    `Cannot load the adapter "${adapterPath}": its adapter_config.json names the base model ` +
      `${JSON.stringify(named)}, and no such folder is here; name it with --model_path`,
    { path: adapterPath, field: "base_model_name_or_path" },
  );
}
