import * as tf from "@tensorflow/tfjs";
import type { TensorSource } from "../types.ts";
import { UserError } from "../errors.ts";
import { familyTensors } from "./family_tensors.ts";
import { parseModelConfig } from "./parse_model_config.ts";
import { weightShapes } from "./weight_shapes.ts";
import { roundForProducts, toHalf } from "../backend/half_matrix.ts";
import { isCopiedFrom, uploadNow } from "../backend/upload_now.ts";
import type { Network, Precision } from "./network.ts";

type Source = { path: string; config: unknown; tensors: TensorSource };

/**
 * The weights that a model is made of, with their shapes; what else a checkpoint holds is passed over.
 *
 * @throws {UserError} when the family is not supported, a weight is missing or has another shape.
 */
export function checkedWeights({ path, config, tensors }: Source): Map<string, number[]> {
  const modelConfig = parseModelConfig(config, path), wanted = weightShapes(modelConfig);
  const own = familyTensors(tensors, modelConfig);
  for (const [name, shape] of wanted) checkWeight(own, path, name, shape);
  return wanted;
}

/**
 * Loads a model's weights onto the compute backend, a tensor at a time. The caller owns them:
 * {@link disposeNetwork} frees them.
 *
 * @throws {UserError} when the family is not supported, a weight is missing or has another shape.
 */
export async function loadNetwork(source: Source): Promise<Network> {
  const config = parseModelConfig(source.config, source.path), wanted = checkedWeights(source);
  const tensors = familyTensors(source.tensors, config);
  const weights = new Map<string, tf.Tensor>();
  try {
    let buffer: ArrayBuffer | undefined; // one for all: garbage would stand beside the weights
    for (const [name, shape] of wanted) {
      const values = await tensors.read(name, buffer);
      weights.set(name, uploadNow(values, shape));
      const own = values.buffer as ArrayBuffer;
      const isLarger = own.byteLength > (buffer?.byteLength ?? 0);
      if (isLarger && isCopiedFrom(own)) buffer = own;
    }
    buffer?.transfer(0); // frees it now
  } catch (error) {
    tf.dispose([...weights.values()]);
    throw error;
  }
  return { config, weights, precision: "float32" };
}

/**
 * A float32 network in the precision that is wanted. In `bf32` its matrices are rounded for each
 * product. In `bfloat16` they are put to rest in that, one at a time, and the float32 ones are freed:
 * half the memory. `checkHalf` tells beforehand whether that can be.
 */
export function inPrecision(network: Network, precision: Precision): Network {
  if (precision === "float32") return network;
  const weights = network.weights as Map<string, tf.Tensor>;
  for (const [name, weight] of weights) {
    if (weight.rank !== 2) continue;
    if (precision === "bf32") {
      roundForProducts(weight as tf.Tensor2D);
      continue;
    }
    weights.set(name, toHalf(weight as tf.Tensor2D));
    weight.dispose();
  }
  return { ...network, precision };
}

/** Frees a model's weights. */
export function disposeNetwork(network: Network): void {
  tf.dispose([...network.weights.values()]);
}

function checkWeight(tensors: TensorSource, path: string, name: string, shape: number[]): void {
  const found = tensors.has(name) ? tensors.shape(name) : null;
  if (found && found.join() === shape.join()) return;
  throw new UserError(
    `Cannot load the model at "${path}": tensor "${name}" must be [${shape.join(", ")}], ` +
      (found ? `found [${found.join(", ")}]` : "but the checkpoint has none of that name"),
    { path, field: name },
  );
}
