import { ropeFactor, ropeFrequencies } from "../layers/rope_frequencies.ts";
import { type RopeTables, ropeTables } from "../layers/rope.ts";
import type { ModelConfig } from "./model_config.ts";

/** How far back a layer's tokens see. */
export type Sight = "all" | "window";

/** A layer's. */
export function sightOf({ windows }: ModelConfig, layer: number): Sight {
  return windows?.layers[layer] ? "window" : "all";
}

/** Those that a model's layers have. */
export function sightsOf(config: ModelConfig): Sight[] {
  return [...new Set(Array.from({ length: config.layers }, (_, layer) => sightOf(config, layer)))];
}

/** The angles of queries, with attention's scale in them, and of keys. */
export function headTables(
  config: ModelConfig,
  sight: Sight,
  positions: Int32Array,
): { queryTables: RopeTables; keyTables: RopeTables } {
  const { headDim, windows, attentionScale = headDim ** -0.5 } = config;
  const own = sight === "window" ? windows?.ropeTheta : undefined;
  const scaling = own === undefined ? config.ropeScaling : undefined;
  const frequencies = ropeFrequencies(headDim, own ?? config.ropeTheta, scaling);
  const factor = ropeFactor(scaling);
  return {
    queryTables: ropeTables(positions, { frequencies, scale: attentionScale * factor }),
    keyTables: ropeTables(positions, { frequencies, scale: factor }),
  };
}
