import { join } from "node:path";
import { writePeftAdapter } from "../io/peft_adapter.ts";
import { writeSafetensors } from "../io/write_safetensors.ts";
import { writeFileAtomic, writeFolderAtomic } from "../io/write_atomic.ts";
import { stackAdapters } from "../lora/merge_adapter.ts";
import { adapterToPeft } from "../lora/peft_format.ts";
import type { Models } from "./build_models.ts";

/** Files to lay beside a saved model: what stands in them, by name. */
export type ExtraFiles = Record<string, unknown>;

/**
 * Saves what was trained into a folder that is complete or absent: an adapter in PEFT's layout, or a
 * Hugging Face folder where all weights were trained; with the tokenizer.
 *
 * Over a Stage A adapter the saved adapter holds both, so that it fits the plain base.
 *
 * **Source**: PEFT's and transformers' file layouts.
 * **Shapes and dtypes**: float32.
 *
 * @throws {UserError} when the folder can't be written; what stood there then stays.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { buildModels } from "./build_models.ts";
 * import { loadModels } from "./load_models.ts";
 * import { saveAdapter } from "./save_model.ts";
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const folder = await Deno.makeTempDir();
 * await saveAdapter(models, folder);
 * using loaded = await loadModels({ adapterPath: folder });
 * assert.deepEqual(loaded.adapter!.parameters, models.adapter!.parameters);
 * ```
 */
export async function saveAdapter(
  models: Models,
  folder: string,
  extras: ExtraFiles = {},
): Promise<void> {
  await writeFolderAtomic(folder, (temporary) => writeModelFiles(models, temporary, extras));
}

/** Writes the files of {@link saveAdapter} into a folder that is there already. */
export async function writeModelFiles(
  models: Models,
  folder: string,
  extras: ExtraFiles,
): Promise<void> {
  const { adapter, source, tokenizer, trainable } = models;
  const writeJson = (name: string, value: unknown) =>
    writeFileAtomic(join(folder, name), JSON.stringify(value, null, 2) + "\n");
  if (adapter) {
    const whole = source.adapter ? stackAdapters(source.adapter, adapter) : adapter;
    await writePeftAdapter(folder, adapterToPeft(whole, source.basePath, models.network.config));
  } else {
    const { names, shapes, values } = trainable;
    const tensors = names.map((name, i) => [name, { shape: shapes[i], data: values[i] }] as const);
    await writeSafetensors(join(folder, "model.safetensors"), tensors);
    const { torch_dtype: _, ...config } = source.config; // the older name of dtype
    await writeJson("config.json", { ...config, dtype: "float32" });
  }
  for (const [name, content] of Object.entries(tokenizer.files)) {
    await writeFileAtomic(join(folder, name), content);
  }
  const { eosId, eosIds } = tokenizer;
  if (eosIds.length > 1 || !namesEos(tokenizer.files["tokenizer_config.json"])) {
    await writeJson("generation_config.json", { eos_token_id: eosIds.length > 1 ? eosIds : eosId });
  }
  for (const [name, value] of Object.entries(extras)) await writeJson(name, value);
}

/** Whether a `tokenizer_config.json` says which one token ends a text; else another file must. */
function namesEos(config: string | undefined): boolean {
  const { eos_token = null }: { eos_token?: unknown } = JSON.parse(config ?? "{}");
  return eos_token !== null;
}
