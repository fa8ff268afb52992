import { UserError } from "../errors.ts";
import { createRandom } from "../random.ts";
import type { HostTensor } from "../types.ts";
import { blockLinears, moduleName, targetedLinears } from "../model/block_modules.ts";
import type { ModelConfig } from "../model/model_config.ts";

/** The shape of a low-rank adaptation (arXiv 2106.09685). */
export type LoraConfig = {
  /** Rank R of the update. */
  rank: number;
  /** The update is scaled by `alpha / rank`, or `alpha / sqrt(rank)` with `rsLora`. */
  alpha: number;
  /** Ends of module names, such as `q_proj`, or `attn.c_proj` where another module ends in `c_proj` too. */
  targetModules: string[];
  /** Rank-stabilised scaling (arXiv 2312.03732). */
  rsLora: boolean;
};

/**
 * An adapter in main memory: the trained numbers, by name. `<module>.lora_A.weight` is `[R, in]`,
 * `<module>.lora_B.weight` `[out, R]`.
 */
export type LoraAdapter = {
  config: LoraConfig;
  /** Adapted modules with their full names, in the model's order. */
  modules: string[];
  parameters: Map<string, HostTensor>;
};

/**
 * What the update `B A` is multiplied by: `alpha / rank`, or `alpha / sqrt(rank)` with `rsLora`.
 *
 * **Source**: arXiv 2106.09685, section 4.1; arXiv 2312.03732 for `rsLora`.
 */
export function loraScale({ rank, alpha, rsLora }: LoraConfig): number {
  return alpha / (rsLora ? Math.sqrt(rank) : rank);
}

/**
 * Turns `["q_proj", "v_proj"]` or `["all-linear"]` into names of a model's linear layers, each as short
 * as it can be without meaning others too.
 *
 * @throws {UserError} when a name is none of them.
 */
export function resolveTargetModules(model: ModelConfig, names: readonly string[]): string[] {
  const { linears, unknown } = targetedLinears(model, names);
  if (unknown.length === 0 && linears.length > 0) {
    const last = (name: string) => name.slice(name.lastIndexOf(".") + 1);
    const taken = new Set(linears.map(({ name }) => name));
    const others = blockLinears(model).filter(({ name }) => !taken.has(name));
    const isShared = (end: string) => others.some(({ name }) => last(name) === end);
    const ends = linears.map(({ name }) => isShared(last(name)) ? name : last(name));
    return [...new Set(ends)];
  }
  const known = [...new Set(blockLinears(model).map(({ name }) => name.split(".").at(-1)))];
  const found = unknown.length === 0 ? "none" : `"${unknown[0]}"`;
  throw new UserError(
    `Cannot make an adapter: target modules must be "all-linear" or some of ` +
      `${known.join(", ")}, found ${found}`,
    { field: "target_modules" },
  );
}

/**
 * Holds a configuration's numbers to what an adapter can be.
 *
 * @throws {UserError} when one is out of its range.
 */
export function checkLoraNumbers({ rank, alpha }: Pick<LoraConfig, "rank" | "alpha">): void {
  const fail = (field: string, wanted: string, found: number) =>
    new UserError(`Cannot make an adapter: ${field} must be ${wanted}, found ${found}`, { field });
  if (!(Number.isSafeInteger(rank) && rank > 0)) {
    throw fail("rank", "a whole number above 0", rank);
  }
  if (!(alpha > 0 && alpha < Infinity)) throw fail("alpha", "a number above 0", alpha);
}

/**
 * Makes a fresh adapter: A uniform in +-1/sqrt(in) (Kaiming with a = sqrt(5), as PEFT draws it), B
 * zero, so that the policy starts as the reference.
 *
 * **Source**: arXiv 2106.09685, section 4.1.
 * **Shapes and dtypes**: float32, A `[R, in]`, B `[out, R]`.
 * **Memory**: numbers in main memory; {@link LoraAdapter} holds nothing on the compute backend.
 *
 * @throws {UserError} when a number is out of its range or a target is no linear layer.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { initLora } from "./lora_adapter.ts";
 * import { buildModels } from "../train/build_models.ts";
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const config = { rank: 4, alpha: 8, targetModules: ["q_proj"], rsLora: false };
 * const { parameters } = initLora(models.network.config, config, { seed: 1 });
 * const b = parameters.get("model.layers.0.self_attn.q_proj.lora_B.weight")!;
 * assert.equal(b.shape[1], 4);
 * assert(b.data.every((value) => value === 0));
 * ```
 */
export function initLora(
  model: ModelConfig,
  config: LoraConfig,
  options: { seed: number },
): LoraAdapter {
  checkLoraNumbers(config);
  const { rank } = config, targetModules = resolveTargetModules(model, config.targetModules);
  const random = createRandom(options.seed);
  const modules: string[] = [], parameters = new Map<string, HostTensor>();
  for (let layer = 0; layer < model.layers; layer++) {
    for (const { name, shape: [out, input] } of targetedLinears(model, targetModules).linears) {
      const module = moduleName(model, layer, name);
      const bound = 1 / Math.sqrt(input);
      const a = Float32Array.from({ length: rank * input }, () => (2 * random.next() - 1) * bound);
      parameters.set(`${module}.lora_A.weight`, { shape: [rank, input], data: a });
      const b = new Float32Array(out * rank);
      parameters.set(`${module}.lora_B.weight`, { shape: [out, rank], data: b });
      modules.push(module);
    }
  }
  return { config: { ...config, targetModules }, modules, parameters };
}
