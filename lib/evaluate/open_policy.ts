import { join } from "node:path";
import { UserError } from "../errors.ts";
import { readPeftAdapter } from "../io/peft_adapter.ts";
import { realPath } from "../io/real_path.ts";
import { adapterFromPeft } from "../lora/peft_format.ts";
import { type Models, policyOver } from "../train/build_models.ts";
import { loadWhole, overReference } from "../train/load_models.ts";
import { exists } from "../train/load_source.ts";

/**
 * Lays a trained adapter over the weights of Stage A, of which there is one copy in memory however
 * many models are compared. A whole model, merged or quantised, is loaded beside it.
 *
 * **Memory**: the result owns the adapter alone, or the whole model; `using` frees it. Stage A stays the
 * caller's.
 *
 * @param stageA What `loadModels` made of Stage A.
 * @param path the adapter's folder, in PEFT's layout; or a model folder or a GGUF file.
 * @throws {UserError} when it can't be read, or adapts another model than Stage A's.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadModels } from "../train/load_models.ts";
 * import { buildModels } from "../train/build_models.ts";
 * import { saveAdapter } from "../train/save_model.ts";
 * import { openPolicy } from "./open_policy.ts";
 * const modelPath = "models/sft_specialist/final_model", path = await Deno.makeTempDir() + "/dpo";
 * using trained = await buildModels({ sftModelPath: modelPath, rank: 4 });
 * await saveAdapter(trained, path);
 * using stageA = await loadModels({ modelPath });
 * using policy = await openPolicy(stageA, path);
 * assert.equal(policy.adapter?.config.rank, 4);
 * assert(policy.network === stageA.network);
 * ```
 */
export async function openPolicy(stageA: Models, path: string): Promise<Models> {
  if (!await exists(join(path, "adapter_config.json"))) return await loadWhole(path);
  const peft = await readPeftAdapter(path), { basePath, path: stageAPath } = stageA.source;
  const isSame = peft.basePath === null ||
    await realPath(peft.basePath) === await realPath(basePath);
  if (!isSame) {
    throw new UserError(
      `Cannot compare "${path}" with "${stageAPath}": it adapts "${peft.basePath}", wanted an ` +
        `adapter of "${basePath}"`,
      { path, field: "base_model_name_or_path" },
    );
  }
  return policyOver(stageA, overReference(adapterFromPeft(peft), stageA.source));
}
