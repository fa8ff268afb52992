import { familyOf } from "./families.ts";
import type { LinearPart } from "./family.ts";
import type { ModelConfig } from "./model_config.ts";

/** A linear layer that every block of a model has. */
export type BlockLinear = {
  part: LinearPart;
  /** Its name behind the block's number, such as `self_attn.q_proj`. */
  name: string;
  shape: [out: number, input: number];
  hasBias: boolean;
};

const MLP: LinearPart[] = ["gate", "up", "down"];

/** Whether a linear layer reads what attention's norm gives. */
export function readsAttentionInput(part: LinearPart): boolean {
  return part !== "o" && !MLP.includes(part);
}

/** The linear layers of a block, in the model's order. */
export function blockLinears(config: ModelConfig): BlockLinear[] {
  const { linears, unbiased } = familyOf(config);
  return (Object.entries(linears) as [LinearPart, string][]).map(([part, name]) => ({
    part,
    name,
    shape: linearShape(config, part),
    hasBias: MLP.includes(part) ? config.mlpBias : config.attentionBias && !unbiased.includes(part),
  }));
}

function linearShape(config: ModelConfig, part: LinearPart): [out: number, input: number] {
  const { hiddenSize, feedForwardSize, heads, keyValueHeads, headDim } = config;
  switch (part) {
    case "q":
      return [heads * headDim, hiddenSize];
    case "k":
    case "v":
      return [keyValueHeads * headDim, hiddenSize];
    case "qkv":
      return [(heads + 2 * keyValueHeads) * headDim, hiddenSize];
    case "o":
      return [hiddenSize, heads * headDim];
    case "down":
      return [hiddenSize, feedForwardSize];
    case "gate":
    case "up":
      return [feedForwardSize, hiddenSize];
  }
}

/** The full name of a block's part, as checkpoints and adapters write it. */
export function moduleName(config: ModelConfig, layer: number, name: string): string {
  return `${familyOf(config).names.block}.${layer}.${name}`;
}

/**
 * The linear layers that target names mean, in the model's order: a name stands for those that are
 * called or end so, as in PEFT, and `all-linear` for all. Names that mean none are the second result.
 */
export function targetedLinears(
  config: ModelConfig,
  targets: readonly string[],
): { linears: BlockLinear[]; unknown: string[] } {
  const all = blockLinears(config);
  if (targets.includes("all-linear")) return { linears: all, unknown: [] };
  const means = (target: string, { name }: BlockLinear) =>
    name === target || name.endsWith(`.${target}`);
  return {
    linears: all.filter((linear) => targets.some((target) => means(target, linear))),
    unknown: targets.filter((target) => !all.some((linear) => means(target, linear))),
  };
}
