import { join } from "node:path";
import { type BackendName, useBackend } from "../backend/use_backend.ts";
import { UserError } from "../errors.ts";
import { readPeftAdapter } from "../io/peft_adapter.ts";
import type { LoraAdapter } from "../lora/lora_adapter.ts";
import { checkAdapter, negateAdapter, stackAdapters } from "../lora/merge_adapter.ts";
import { adapterFromPeft } from "../lora/peft_format.ts";
import { disposeNetwork } from "../model/load_network.ts";
import { joinModels, type Models } from "./build_models.ts";
import { exists, loadSource, type ModelSource } from "./load_source.ts";
import { readDpoConfig } from "./run_record.ts";
import { trainableAdapter } from "./trainable.ts";

/** Options of {@link loadModels}. */
export type LoadModelsOptions = {
  /**
   * The reference: a model folder, a GGUF file or an adapter folder. Default: what the adapter was
   * trained against by its `dpo_config.json`, else the model that it adapts.
   */
  modelPath?: string;
  /** A trained adapter in PEFT's layout: the policy. Without it policy and reference are one. */
  adapterPath?: string;
  backend?: BackendName | "auto";
};

/**
 * Loads what was trained: the model as the reference, with the saved adapter as the policy over it.
 *
 * As in PEFT, a saved adapter is an update of the plain model. Where the reference holds a Stage A
 * adapter, the policy is nevertheless the plain model with the saved adapter, which already holds
 * Stage A's.
 *
 * **Memory**: as `buildModels`.
 *
 * @throws {UserError} when neither path is given, a file can't be read, the adapter doesn't fit, or
 * the recorded reference is no longer what it was trained against.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadModels } from "./load_models.ts";
 * const modelPath = "models/sft_specialist/final_model";
 * using models = await loadModels({ modelPath });
 * assert.equal(models.source.path, modelPath);
 * await assert.rejects(loadModels({}), /wanted a model path .* or an adapter path .*, found neither/);
 * ```
 */
export async function loadModels(options: LoadModelsOptions): Promise<Models> {
  const { modelPath, adapterPath } = options;
  const peft = adapterPath === undefined ? null : await readAdapter(adapterPath);
  const recorded = modelPath === undefined && adapterPath !== undefined
    ? await recordedReference(adapterPath)
    : null;
  const path = modelPath ?? recorded?.path ?? peft?.basePath;
  if (!path) throw noBase(peft?.config.base_model_name_or_path ?? null, adapterPath);
  await useBackend({ backend: options.backend });
  const loaded = await loadSource(path);
  try {
    if (recorded) checkReference(recorded, loaded.source, adapterPath!);
    const adapter = peft ? overReference(adapterFromPeft(peft), loaded.source) : EMPTY;
    checkAdapter(loaded.network, adapter);
    return joinModels({ ...loaded, adapter, trainable: trainableAdapter(adapter) });
  } catch (error) {
    disposeNetwork(loaded.network);
    throw error;
  }
}

/**
 * Loads a model as it stands, onto the backend in use: policy and reference are one.
 *
 * @param path A model folder, a GGUF file or an adapter folder.
 */
export async function loadWhole(path: string): Promise<Models> {
  const loaded = await loadSource(path);
  return joinModels({ ...loaded, adapter: EMPTY, trainable: trainableAdapter(EMPTY) });
}

/** An adapter that changes nothing. */
const EMPTY: LoraAdapter = {
  config: { rank: 1, alpha: 1, targetModules: [], rsLora: false },
  modules: [],
  parameters: new Map(),
};

async function readAdapter(path: string) {
  const has = (name: string) => exists(join(path, name));
  const isWhole = path.endsWith(".gguf") ||
    (await has("config.json") && !await has("adapter_config.json"));
  if (!isWhole) return await readPeftAdapter(path);
  throw new UserError(
    `Cannot load the adapter "${path}": it is a whole model; name it with --model_path`,
    { path, field: "adapter_path" },
  );
}

type Reference = { path: string; sha256: string };

/** What `dpo_config.json` beside an adapter says that it was trained against, if that is here. */
async function recordedReference(adapterPath: string): Promise<Reference | null> {
  const path = join(adapterPath, "dpo_config.json");
  if (!await exists(path)) return null;
  const { reference } = await readDpoConfig(path);
  return await exists(reference.path) ? reference : null;
}

function checkReference({ path, sha256 }: Reference, { hash }: ModelSource, adapterPath: string) {
  if (sha256 === hash) return;
  throw new UserError(
    `Cannot load the adapter "${adapterPath}": the model "${path}" has changed since the adapter ` +
      "was trained over it; name the model to use with --model_path",
    { path: adapterPath, field: "reference" },
  );
}

/** A saved adapter as an update of the reference's weights, which may hold a Stage A adapter. */
export function overReference(adapter: LoraAdapter, { adapter: stageA }: ModelSource): LoraAdapter {
  return stageA ? stackAdapters(adapter, negateAdapter(stageA)) : adapter;
}

function noBase(named: string | null, adapterPath: string | undefined): UserError {
  if (adapterPath === undefined) {
    return new UserError(
      "Cannot load a model: wanted a model path (--model_path) or an adapter path (--adapter_path), " +
        "found neither",
    );
  }
  return new UserError(
    `Cannot load the adapter "${adapterPath}": its adapter_config.json names the base model ` +
      `${JSON.stringify(named)}, and no such folder is here; name it with --model_path`,
    { path: adapterPath, field: "base_model_name_or_path" },
  );
}
