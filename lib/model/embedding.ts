import * as tf from "@tensorflow/tfjs";
import { weightRows } from "../backend/half_matrix.ts";
import { UserError } from "../errors.ts";
import { familyOf } from "./families.ts";
import type { ModelConfig } from "./model_config.ts";
import { type Gradients, type Network, weightOf } from "./network.ts";

/** The head's weight: the embedding itself where the two are tied. */
export function headName({ config }: Pick<Network, "config">): string {
  const { embedding, head } = familyOf(config).names;
  return `${config.tiedHead ? embedding : head}.weight`;
}

/**
 * The residual stream's start, `[N, D]`: each token's row of the embedding and, where positions are
 * learned, its position's.
 *
 * @throws {UserError} where a text has more tokens than positions were learned.
 */
export function embed(network: Network, ids: Int32Array, positions: Int32Array): tf.Tensor2D {
  const { config } = network, { names, scalesEmbedding } = familyOf(config);
  const rows = (name: string, of: Int32Array) =>
    weightRows(weightOf<tf.Tensor2D>(network, `${name}.weight`), tf.tensor1d(of, "int32"));
  const x = rows(names.embedding, ids);
  if (scalesEmbedding) return tf.mul(x, Math.sqrt(config.hiddenSize));
  if (!names.positions) return x;
  checkReach(config, positions.reduce((most, position) => Math.max(most, position + 1), 0));
  return tf.add(x, rows(names.positions, positions));
}

/** The gradients of {@link embed}'s tables. */
export function embeddingGradients(
  { config }: Pick<Network, "config">,
  dx: tf.Tensor2D,
  { ids, positions }: { ids: Int32Array; positions: Int32Array },
): Gradients {
  const { names, scalesEmbedding } = familyOf(config);
  const dy = scalesEmbedding ? tf.mul(dx, Math.sqrt(config.hiddenSize)) : dx;
  const summed = (of: Int32Array, size: number) =>
    tf.unsortedSegmentSum(dy, tf.tensor1d(of, "int32"), size);
  return {
    [`${names.embedding}.weight`]: summed(ids, config.vocabSize),
    ...(names.positions && {
      [`${names.positions}.weight`]: summed(positions, config.maxPositions),
    }),
  };
}

/**
 * Holds the tokens of a text to the positions that were learned; turned heads go on for ever.
 *
 * @throws {UserError} where a text is longer.
 */
export function checkReach(config: ModelConfig, tokens: number): void {
  if (!familyOf(config).names.positions || tokens <= config.maxPositions) return;
  throw new UserError(
    `Cannot read a text of ${tokens} tokens: the model has learned ${config.maxPositions} positions`,
    { field: "max_length" },
  );
}
