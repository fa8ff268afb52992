import type { PeftAdapter } from "../io/peft_adapter.ts";
import { familyOf } from "../model/families.ts";
import type { ModelConfig } from "../model/model_config.ts";
import type { LoraAdapter } from "./lora_adapter.ts";

const PREFIX = "base_model.model.";

/** An adapter as PEFT names its tensors, over the model at `basePath`, which is of the `family`. */
export function adapterToPeft(
  { config, modules, parameters }: LoraAdapter,
  basePath: string,
  family: Pick<ModelConfig, "family">,
): PeftAdapter {
  const { isTransposed, isWhole } = familyOf(family);
  return {
    config: {
      base_model_name_or_path: basePath,
      r: config.rank,
      lora_alpha: config.alpha,
      use_rslora: config.rsLora,
      // What the model has beside may end in the same names.
      target_modules: isWhole ? config.targetModules : modules,
      fan_in_fan_out: isTransposed,
    },
    tensors: new Map([...parameters].map(([name, tensor]) => [PREFIX + name, tensor])),
  };
}

/** The way back from {@link adapterToPeft}. */
export function adapterFromPeft({ config, tensors }: PeftAdapter): LoraAdapter {
  const parameters = new Map(
    [...tensors].map(([name, tensor]) => [name.slice(PREFIX.length), tensor]),
  );
  const modules = [...parameters.keys()].filter((name) => name.endsWith(".lora_A.weight"))
    .map((name) => name.slice(0, -".lora_A.weight".length));
  return {
    config: {
      rank: config.r,
      alpha: config.lora_alpha,
      targetModules: config.target_modules,
      rsLora: config.use_rslora,
    },
    modules,
    parameters,
  };
}
