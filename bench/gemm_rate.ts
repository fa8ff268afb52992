import * as tf from "@tensorflow/tfjs";

/** The rate of a large float32 matrix product on the backend in use, in FLOP/s: the best of some. */
export async function gemmRate(): Promise<number> {
  const [m, k, n] = tf.getBackend() === "tensorflow" ? [2048, 2048, 2048] : [512, 512, 512];
  const a = tf.ones([m, k]) as tf.Tensor2D, b = tf.ones([k, n]) as tf.Tensor2D;
  let best = Infinity;
  for (let i = 0; i < 6; i++) {
    const started = performance.now(), product = tf.matMul(a, b);
    await product.data();
    best = Math.min(best, performance.now() - started);
    product.dispose();
  }
  tf.dispose([a, b]);
  return 1000 * 2 * m * k * n / best;
}
