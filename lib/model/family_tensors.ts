import type { TensorSource } from "../types.ts";
import { familyOf } from "./families.ts";
import type { ModelConfig } from "./model_config.ts";

/**
 * A checkpoint's tensors under the names that the model's family has for them, where they may have been
 * saved under others: a model without its head, an older layout. The head has one name
 * everywhere.
 */
export function familyTensors(tensors: TensorSource, config: ModelConfig): TensorSource {
  const { names, otherwise: [own, saved] } = familyOf(config);
  const exchange = (from: string, to: string) => (name: string) =>
    name.startsWith(from) ? to + name.slice(from.length) : name;
  const savedName = exchange(own, saved), embedding = `${names.embedding}.weight`;
  if (tensors.has(embedding) || !tensors.has(savedName(embedding))) return tensors;
  const ownName = exchange(saved, own), isHead = (name: string) => name.startsWith(names.head);
  return {
    ...tensors,
    names: () => tensors.names().map((name) => isHead(name) ? name : ownName(name)),
    has: (name) => tensors.has(savedName(name)),
    shape: (name) => tensors.shape(savedName(name)),
    dtype: (name) => tensors.dtype(savedName(name)),
    read: (name, ...into) => tensors.read(savedName(name), ...into),
  };
}
