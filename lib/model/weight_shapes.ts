import { blockLinears, moduleName } from "./block_modules.ts";
import { familyOf } from "./families.ts";
import type { NormPart } from "./family.ts";
import type { ModelConfig } from "./model_config.ts";

/** Every weight that a checkpoint of this configuration holds, with its shape. */
export function weightShapes(config: ModelConfig): Map<string, number[]> {
  const { vocabSize, hiddenSize, headDim, layers, maxPositions, tiedHead } = config;
  const { names, norms, normKind, isTransposed } = familyOf(config);
  const weights = new Map<string, number[]>();
  const addNorm = (name: string, width: number) => {
    weights.set(`${name}.weight`, [width]);
    if (normKind === "layer") weights.set(`${name}.bias`, [width]);
  };
  weights.set(`${names.embedding}.weight`, [vocabSize, hiddenSize]);
  if (names.positions) weights.set(`${names.positions}.weight`, [maxPositions, hiddenSize]);
  for (let layer = 0; layer < layers; layer++) {
    addNorm(moduleName(config, layer, norms.attention), hiddenSize);
    for (const { name, shape: [out, input], hasBias } of blockLinears(config)) {
      const module = moduleName(config, layer, name);
      weights.set(`${module}.weight`, isTransposed ? [input, out] : [out, input]);
      if (hasBias) weights.set(`${module}.bias`, [out]);
    }
    for (const [part, name] of Object.entries(norms) as [NormPart, string][]) {
      if (part === "attention") continue;
      addNorm(moduleName(config, layer, name), part === "q" || part === "k" ? headDim : hiddenSize);
    }
  }
  addNorm(names.norm, hiddenSize);
  if (!tiedHead) weights.set(`${names.head}.weight`, [vocabSize, hiddenSize]);
  return weights;
}
