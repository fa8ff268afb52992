import * as tf from "@tensorflow/tfjs";
import type { TokenBatch } from "../types.ts";
import { type BlockContext, blockForward } from "./block.ts";
import { headName } from "./embedding.ts";
import { type Computing, weightOf } from "./network.ts";
import { blockContext, disposeContext, embedBatch, finalNorm } from "./stack.ts";

/**
 * A forward pass, and a number that is read from the state `[n, D]` of each predicted token and the
 * head's weight. No tensor is left behind.
 */
export async function readTokens(
  computing: Computing,
  batch: TokenBatch,
  read: (hidden: tf.Tensor2D, weight: tf.Tensor2D) => tf.Tensor1D,
): Promise<Float32Array> {
  const context = blockContext(computing, batch), { network } = computing;
  let values: tf.Tensor1D | undefined;
  try {
    const weight = weightOf<tf.Tensor2D>(network, headName(network));
    values = tf.tidy(() => read(lastHidden(context, batch), weight));
    return await values.data<"float32">();
  } finally {
    values?.dispose();
    disposeContext(context);
  }
}

/** Each predicted token's state; a layer's tensors are freed before the next one runs. */
function lastHidden(context: BlockContext, batch: TokenBatch): tf.Tensor2D {
  const { network } = context;
  let x = embedBatch(network, batch);
  for (let layer = 0; layer < network.config.layers; layer++) {
    const y = tf.tidy(() => blockForward(x, layer, context).y);
    x.dispose();
    x = y;
  }
  const rows = tf.gather(x, tf.tensor1d(batch.rows, "int32"));
  return finalNorm(network).forward(rows).y;
}
