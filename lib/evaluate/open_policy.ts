import { UserError } from "../errors.ts";
import { readPeftAdapter } from "../io/peft_adapter.ts";
import { realPath } from "../io/real_path.ts";
import { adapterFromPeft } from "../lora/peft_format.ts";
import { type Models, policyOver } from "../train/build_models.ts";
import { overReference } from "../train/load_models.ts";

/**
 * Lays a trained adapter over the weights of Stage A, of which there is one copy in memory however
 * many models are compared.
 *
 * @param path the adapter's folder, in PEFT's layout.
 * @throws {UserError} when it can't be read, or adapts another model than Stage A's.
 */
export async function openPolicy(stageA: Models, path: string): Promise<Models> {
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
