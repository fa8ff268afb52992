import { checkHalf } from "../backend/half_matrix.ts";
import { type BackendName, useBackend } from "../backend/use_backend.ts";
import {
  checkLoraNumbers,
  initLora,
  type LoraAdapter,
  resolveTargetModules,
} from "../lora/lora_adapter.ts";
import { checkAdapter } from "../lora/merge_adapter.ts";
import { UserError } from "../errors.ts";
import { disposeNetwork, inPrecision } from "../model/load_network.ts";
import { familyOf } from "../model/families.ts";
import type { ModelConfig } from "../model/model_config.ts";
import type { Network, Precision } from "../model/network.ts";
import type { AdamWState } from "../optim/adamw.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { loadSource, type ModelSource } from "./load_source.ts";
import { type Trainable, trainableAdapter, trainableWeights } from "./trainable.ts";

/** Policy and reference: one copy of the weights, and what training changes. */
export type Models = {
  network: Network;
  tokenizer: Tokenizer;
  /** Where the weights came from, and their hash. */
  source: ModelSource;
  /** The low-rank adapter that makes the policy; null when all weights are trained. */
  adapter: LoraAdapter | null;
  trainable: Trainable;
  /** The optimiser's moments, from the first step on. */
  optimizer: AdamWState | null;
  /** Frees everything on the compute backend. */
  [Symbol.dispose](): void;
};

/** Options of {@link buildModels}. */
export type BuildModelsOptions = {
  /** A Hugging Face folder, a GGUF file or a PEFT adapter folder. */
  sftModelPath: string;
  /** LoRA's rank R: how many numbers the policy may learn with. Default 16. */
  rank?: number;
  /** LoRA's update is scaled by `alpha / rank`. Default 32. */
  alpha?: number;
  /**
   * Modules to adapt, by the ends of their names, or `all-linear`. Default q_proj and v_proj, of GPT-2
   * c_attn.
   */
  targetModules?: string[];
  /** Scale by `alpha / sqrt(rank)` instead (arXiv 2312.03732). */
  rsLora?: boolean;
  /** Draws the adapter's A. Default 42. */
  seed?: number;
  /** Train all weights and no adapter: Stage A of small models. There is no reference then. */
  allWeights?: boolean;
  /**
   * What frozen weights rest and are multiplied in while training. `bf32` rounds them to bfloat16 for
   * each product, which takes less time and costs accuracy; `bfloat16` keeps them so, which takes half
   * their memory too. Evaluation is float32 nevertheless, of the weights themselves in `bf32` and of
   * the rounded ones in `bfloat16`. Default float32.
   */
  precision?: Precision;
  backend?: BackendName | "auto";
};

/**
 * Loads a Stage A checkpoint as the reference and lays a fresh adapter over it as the policy. Both
 * share the weights, so the reference costs no second model and can't drift, and the policy starts
 * as the reference to the last bit (B is zero).
 *
 * **Source**: DPO, arXiv 2305.18290, section 4; LoRA, arXiv 2106.09685.
 * **Shapes and dtypes**: weights and adapters are float32; see `precision`.
 * **Memory**: the result owns tensors on the compute backend; `using` or `[Symbol.dispose]()` frees
 * them.
 *
 * @throws {UserError} when the checkpoint can't be read, its family is not supported, or the adapter
 * can't be made.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { buildModels } from "./build_models.ts";
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model", rank: 8 });
 * assert.equal(models.adapter?.config.rank, 8);
 * ```
 */
export async function buildModels(options: BuildModelsOptions): Promise<Models> {
  const { rank = 16, alpha = 32, targetModules } = options;
  const { rsLora = false, seed = 42, allWeights = false, precision = "float32" } = options;
  if (allWeights) checkTrainable(precision);
  else checkLoraNumbers({ rank, alpha });
  await useBackend({ backend: options.backend });
  if (precision !== "float32") checkHalf(precision);
  const targetsOf = (config: ModelConfig) => targetModules ?? familyOf(config).defaultTargets;
  const loaded = await loadSource(options.sftModelPath, (config) => {
    if (!allWeights) resolveTargetModules(config, targetsOf(config));
    else if (!familyOf(config).isWhole) throw notWhole(options.sftModelPath, config);
  });
  const network = inPrecision(loaded.network, precision);
  const lora = { rank, alpha, targetModules: targetsOf(network.config), rsLora };
  const adapter = allWeights ? null : initLora(network.config, lora, { seed });
  const trainable = adapter ? trainableAdapter(adapter) : await trainableWeights(network);
  return joinModels({ ...loaded, network, adapter, trainable });
}

function notWhole(path: string, { family }: ModelConfig): UserError {
  return new UserError(
    `Cannot train all weights of "${path}": a ${family} model holds more than its text part, and ` +
      "would be saved without it; train an adapter",
    { path, field: "model_type" },
  );
}

/**
 * Holds the precision to what all weights can be trained in.
 *
 * @throws {UserError} when it is not float32.
 */
export function checkTrainable(precision: Precision): void {
  if (precision === "float32") return;
  throw new UserError(`Cannot train all weights in ${precision}: wanted float32`, {
    field: "precision",
  });
}

/** Joins what was loaded with what is trained; the result owns both. */
export function joinModels(
  parts: Pick<Models, "network" | "tokenizer" | "source" | "adapter" | "trainable">,
): Models {
  return {
    ...parts,
    optimizer: null,
    [Symbol.dispose]() {
      parts.trainable.dispose();
      disposeNetwork(parts.network);
    },
  };
}

/**
 * Another policy over the weights of `models`, which stay theirs: what is disposed of here is the
 * adapter alone.
 *
 * @throws {UserError} when the adapter doesn't fit the weights.
 */
export function policyOver(models: Models, adapter: LoraAdapter): Models {
  checkAdapter(models.network, adapter);
  const { trainable, ...parts } = { ...models, adapter, trainable: trainableAdapter(adapter) };
  return { ...parts, trainable, optimizer: null, [Symbol.dispose]: () => trainable.dispose() };
}

/** A policy as untrained as `buildModels` makes it, over the weights of `models`: see {@link policyOver}. */
export function freshPolicy(models: Models, { seed }: { seed: number }): Models {
  return policyOver(models, initLora(models.network.config, models.adapter!.config, { seed }));
}
