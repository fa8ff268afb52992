import * as tf from "@tensorflow/tfjs";
import type { LowRank } from "../layers/linear.ts";
import type { Adapters } from "../model/network.ts";
import { type LoraAdapter, loraScale } from "./lora_adapter.ts";

/** Copies an adapter to the compute backend; the caller frees it with {@link disposeAdapters}. */
export function uploadAdapter({ config, modules, parameters }: LoraAdapter): Adapters {
  const scale = loraScale(config), adapters = new Map<string, LowRank>();
  for (const module of modules) {
    const [a, b] = ["A", "B"].map((half) => {
      const { shape, data } = parameters.get(`${module}.lora_${half}.weight`)!;
      return tf.tensor2d(data, shape as [number, number], "float32");
    });
    adapters.set(module, { a, b, scale });
  }
  return adapters;
}

/** Frees what {@link uploadAdapter} made. */
export function disposeAdapters(adapters: Adapters): void {
  for (const { a, b } of adapters.values()) tf.dispose([a, b]);
}
