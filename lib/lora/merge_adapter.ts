import * as tf from "@tensorflow/tfjs";
import { UserError } from "../errors.ts";
import type { HostTensor } from "../types.ts";
import { blockLinears, moduleName } from "../model/block_modules.ts";
import { familyOf } from "../model/families.ts";
import type { ModelConfig } from "../model/model_config.ts";
import type { Network } from "../model/network.ts";
import { type LoraAdapter, loraScale } from "./lora_adapter.ts";

/**
 * Holds an adapter's modules and shapes against the model that it is laid over.
 *
 * @throws {UserError} when a module is missing, of another shape, or none that is computed with an
 * update: only the linear layers of blocks are, the head is not.
 */
export function checkAdapter({ config, weights }: Network, adapter: LoraAdapter): void {
  for (const module of adapter.modules) {
    checkModule(config, module);
    const [a, b] = halves(adapter, module), name = `${module}.weight`, weight = weights.get(name);
    const fits = [b.shape[0], a.shape[1]];
    if (familyOf(config).isTransposed) fits.reverse();
    if (weight && weight.shape.join() === fits.join()) continue;
    throw new UserError(
      `Cannot apply the adapter to "${name}": it fits a matrix [${fits.join(", ")}], ` +
        `found ${weight ? `[${weight.shape.join(", ")}]` : "none of that name"}`,
      { field: name },
    );
  }
}

function checkModule(config: ModelConfig, module: string): void {
  const { block } = familyOf(config).names, names = blockLinears(config).map(({ name }) => name);
  const layer = parseInt(module.slice(block.length + 1));
  if (names.some((name) => moduleName(config, layer, name) === module)) return;
  throw new UserError(
    `Cannot apply the adapter to "${module}": only ${names.join(", ")} of ${block} can be adapted`,
    { field: module },
  );
}

/** Adds an adapter to the weights under it, `W + scale * B A`, for good. */
export function mergeAdapter(network: Network, adapter: LoraAdapter): void {
  checkAdapter(network, adapter);
  const weights = network.weights as Map<string, tf.Tensor>, scale = loraScale(adapter.config);
  for (const module of adapter.modules) {
    const [a, b] = halves(adapter, module), name = `${module}.weight`;
    const weight = weights.get(name)!;
    const merged = tf.tidy(() => {
      const delta = tf.matMul(tf.tensor(b.data, b.shape), tf.tensor(a.data, a.shape));
      const added = familyOf(network.config).isTransposed ? tf.transpose(delta) : delta;
      return tf.add(weight, tf.mul(added, scale));
    });
    weights.set(name, merged);
    weight.dispose();
  }
}

/** An adapter whose update is the other one's opposite. */
export function negateAdapter(adapter: LoraAdapter): LoraAdapter {
  return { ...adapter, config: { ...adapter.config, alpha: -adapter.config.alpha } };
}

/**
 * Writes two adapters as one of the ranks' sum, whose update is the sum of both: what a base needs
 * to become the policy when the policy was trained over a Stage A adapter. The scales go into B.
 */
export function stackAdapters(first: LoraAdapter, second: LoraAdapter): LoraAdapter {
  const rank = first.config.rank + second.config.rank;
  const modules = [...new Set([...first.modules, ...second.modules])];
  const parameters = new Map<string, HostTensor>();
  for (const module of modules) {
    const [out, input] = moduleShape([first, second], module);
    const a = new Float32Array(rank * input), b = new Float32Array(out * rank);
    let at = 0;
    for (const adapter of [first, second]) {
      if (adapter.modules.includes(module)) placeHalves(adapter, module, { a, b, rank, at });
      at += adapter.config.rank;
    }
    parameters.set(`${module}.lora_A.weight`, { shape: [rank, input], data: a });
    parameters.set(`${module}.lora_B.weight`, { shape: [out, rank], data: b });
  }
  const targetModules = [
    ...new Set([...first.config.targetModules, ...second.config.targetModules]),
  ];
  return { config: { rank, alpha: rank, targetModules, rsLora: false }, modules, parameters };
}

function placeHalves(
  adapter: LoraAdapter,
  module: string,
  { a, b, rank, at }: { a: Float32Array; b: Float32Array; rank: number; at: number },
): void {
  const [ownA, ownB] = halves(adapter, module), [own, input] = ownA.shape;
  const scale = loraScale(adapter.config);
  a.set(ownA.data, at * input);
  for (let row = 0; row < ownB.shape[0]; row++) {
    for (let r = 0; r < own; r++) b[row * rank + at + r] = ownB.data[row * own + r] * scale;
  }
}

function moduleShape(adapters: LoraAdapter[], module: string): [out: number, input: number] {
  const [a, b] = halves(adapters.find(({ modules }) => modules.includes(module))!, module);
  return [b.shape[0], a.shape[1]];
}

function halves({ parameters }: LoraAdapter, module: string): [a: HostTensor, b: HostTensor] {
  const [a, b] = ["A", "B"].map((half) => parameters.get(`${module}.lora_${half}.weight`)!);
  return [a, b];
}
