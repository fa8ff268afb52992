import * as tf from "@tensorflow/tfjs";
import type { LoraAdapter } from "../lora/lora_adapter.ts";
import { disposeAdapters, uploadAdapter } from "../lora/upload_adapter.ts";
import type { Adapters, Gradients, Network } from "../model/network.ts";

/**
 * What training changes: numbers in main memory, in a fixed order, with the copy of them that the
 * compute backend works on.
 */
export type Trainable = {
  /** Parameter names, as gradients are named. */
  names: string[];
  shapes: number[][];
  /** The numbers themselves; an optimiser changes them in place, then calls `refresh`. */
  values: Float32Array[];
  /** Whether all weights are trained, not an adapter. */
  allWeights: boolean;
  /** The adapters on the backend, null when all weights are trained. */
  adapters(): Adapters | null;
  /** Copies `values` to the backend. */
  refresh(): void;
  dispose(): void;
};

/** Trains a low-rank adapter over frozen weights. */
export function trainableAdapter(adapter: LoraAdapter): Trainable {
  const parameters = [...adapter.parameters.values()];
  let adapters = uploadAdapter(adapter);
  return {
    names: [...adapter.parameters.keys()],
    shapes: parameters.map(({ shape }) => shape),
    values: parameters.map(({ data }) => data),
    allWeights: false,
    adapters: () => adapters,
    refresh() {
      disposeAdapters(adapters);
      adapters = uploadAdapter(adapter);
    },
    dispose: () => disposeAdapters(adapters),
  };
}

/** Trains every weight of a (small) model; a second copy of them stands in main memory. */
export async function trainableWeights(network: Network): Promise<Trainable> {
  const weights = network.weights as Map<string, tf.Tensor>;
  const names = [...weights.keys()], tensors = [...weights.values()];
  const values = await Promise.all(
    tensors.map(async (tensor) => Float32Array.from(await tensor.data<"float32">())),
  );
  const shapes = tensors.map(({ shape }) => shape);
  return {
    names,
    shapes,
    values,
    allWeights: true,
    adapters: () => null,
    refresh() {
      names.forEach((name, i) => {
        weights.get(name)!.dispose();
        weights.set(name, tf.tensor(values[i], shapes[i], "float32"));
      });
    },
    dispose() {},
  };
}

/** Adds a pass' gradients to sums in the trainable's order, and frees them. */
export async function addGradients(
  sums: Float32Array[],
  names: string[],
  gradients: Gradients,
): Promise<void> {
  const parts = await Promise.all(names.map((name) => gradients[name].data<"float32">()));
  parts.forEach((part, i) => {
    const sum = sums[i];
    for (let j = 0; j < part.length; j++) sum[j] += part[j];
  });
  tf.dispose(gradients);
}
