import { UserError } from "../errors.ts";
import { tensorSource } from "../io/tensor_source.ts";
import type { HostTensor, Rows, TensorSource } from "../types.ts";
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
  checkModules(adapter, config, (name) => weights.get(name)?.shape);
}

function checkModules(
  adapter: LoraAdapter,
  config: ModelConfig,
  shapeOf: (name: string) => number[] | undefined,
): void {
  for (const module of adapter.modules) {
    checkModule(config, module);
    const [a, b] = halves(adapter, module), name = `${module}.weight`, shape = shapeOf(name);
    const fits = [b.shape[0], a.shape[1]];
    if (familyOf(config).isTransposed) fits.reverse();
    if (shape?.join() === fits.join()) continue;
    throw new UserError(
      `Cannot apply the adapter to "${name}": it fits a matrix [${fits.join(", ")}], ` +
        `found ${shape ? `[${shape.join(", ")}]` : "none of that name"}`,
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

/**
 * A model's weights with an adapter added to them, `W + scale * B A`: each is computed as it is read,
 * so that a model of any size can be merged.
 *
 * @throws {UserError} as {@link checkAdapter}.
 */
export function mergedTensors(
  source: TensorSource,
  adapter: LoraAdapter,
  config: ModelConfig,
): TensorSource {
  checkModules(adapter, config, (name) => source.has(name) ? source.shape(name) : undefined);
  const { isTransposed } = familyOf(config);
  const modules = new Set(adapter.modules.map((module) => `${module}.weight`));
  const entries = new Map(
    source.names().map((name) => {
      return [name, { shape: source.shape(name), dtype: source.dtype(name) }];
    }),
  );
  return tensorSource("the merged model", entries, {
    read: async (_, { name, buffer, rows }) => {
      const values = await source.read(name, buffer, rows);
      if (!modules.has(name)) return values;
      const [a, b] = halves(adapter, name.replace(/\.weight$/, "")),
        scale = loraScale(adapter.config);
      const [left, right] = isTransposed ? [transposed(a), transposed(b)] : [b, a];
      return addProduct(values, { left, right, scale, rows });
    },
    close: source.close,
  });
}

/** Adds these rows of `scale * left right` in place; sums of four ranks are rounded to float32 together. */
function addProduct(
  values: Float32Array,
  { left, right, scale, rows }: { left: HostTensor; right: HostTensor; scale: number; rows: Rows },
): Float32Array {
  const rank = left.shape[1], width = right.shape[1];
  for (let row = rows.first; row < rows.end; row++) {
    const start = (row - rows.first) * width, sum = values.subarray(start, start + width);
    for (let r = 0; r < rank; r += 4) {
      // A rank that isn't there has factor 0; its row is any.
      const factor = (k: number) => r + k < rank ? scale * left.data[row * rank + r + k] : 0;
      const rowOf = (k: number) => {
        const from = Math.min(r + k, rank - 1) * width;
        return right.data.subarray(from, from + width);
      };
      const c0 = factor(0), c1 = factor(1), c2 = factor(2), c3 = factor(3);
      const a0 = rowOf(0), a1 = rowOf(1), a2 = rowOf(2), a3 = rowOf(3);
      for (let i = 0; i < width; i++) {
        sum[i] += c0 * a0[i] + c1 * a1[i] + c2 * a2[i] + c3 * a3[i];
      }
    }
  }
  return values;
}

function transposed({ data, shape: [rows, columns] }: HostTensor): HostTensor {
  const turned = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) turned[j * rows + i] = data[i * columns + j];
  }
  return { data: turned, shape: [columns, rows] };
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
