import { refuseField } from "./read_fields.ts";

/** What a config says of which layers have a window. */
type LayerFields = { num_hidden_layers: number; layer_types?: string[] | null };

/**
 * Whether each layer has a window: by `layer_types`, or by `otherwise` where that isn't there.
 *
 * @throws {UserError} when `layer_types` has not one entry a layer.
 */
export function windowedLayers(
  { num_hidden_layers: length, layer_types: types }: LayerFields,
  path: string,
  otherwise: (layer: number) => boolean,
): boolean[] {
  if (types && types.length !== length) {
    const wanted = `a list of ${length} entries, one a layer`;
    throw refuseField(path, { field: "layer_types", wanted, found: types.length });
  }
  return types?.map((type) => type === "sliding_attention") ??
    Array.from({ length }, (_, layer) => otherwise(layer));
}
