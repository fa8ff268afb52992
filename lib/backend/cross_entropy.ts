import * as tf from "@tensorflow/tfjs";
import { nativeOp } from "./native_op.ts";

/** Each row's loss `[n]` and its gradient with respect to the logits `[n, V]`. The caller owns both. */
export type CrossEntropy = { loss: tf.Tensor1D; gradient: tf.Tensor2D };

/**
 * The negative log-probability of each target and its gradient, `softmax(logits) - oneHot(target)`.
 *
 * On TensorFlow one kernel gives both without keeping `[n, V]` probabilities beside the gradient;
 * elsewhere {@link plainCrossEntropy} does the same. In nats.
 *
 * @param logits `[n, V]` float32.
 * @param targets `[n]` int32, each below V.
 */
export function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor1D): CrossEntropy {
  const run = nativeOp();
  if (!run) return plainCrossEntropy(logits, targets);
  const [loss, gradient] = run(
    "SparseSoftmaxCrossEntropyWithLogits",
    { T: "float32", Tlabels: "int32" },
    [logits, targets],
    2,
  );
  return { loss: loss as tf.Tensor1D, gradient: gradient as tf.Tensor2D };
}

/** {@link crossEntropy} from tfjs' own operations: runs on every backend and is the kernel's test. */
export function plainCrossEntropy(logits: tf.Tensor2D, targets: tf.Tensor1D): CrossEntropy {
  return tf.tidy(() => {
    const classes = logits.shape[1];
    const shifted = tf.sub(logits, tf.max(logits, 1, true)); // [n, V]
    const exponents = tf.exp(shifted); // [n, V]
    const sums = tf.sum(exponents, 1, true); // [n, 1]
    const mask = tf.cast(tf.oneHot(targets, classes), "float32"); // [n, V]
    const picked = tf.sum(tf.mul(shifted, mask), 1); // [n]
    return {
      loss: tf.sub(tf.log(tf.squeeze(sums, [1])), picked) as tf.Tensor1D,
      gradient: tf.sub(tf.div(exponents, sums), mask) as tf.Tensor2D,
    };
  });
}
