import * as tf from "@tensorflow/tfjs";
import { UserError } from "../errors.ts";
import { type BackendDescription, useBackend } from "../backend/use_backend.ts";

/**
 * Multiplies two small matrices on TensorFlow and compares the product with the right one.
 *
 * @throws {UserError} when TensorFlow doesn't load or computes something else.
 */
export async function firstMultiplication(): Promise<BackendDescription> {
  const description = await useBackend({ backend: "tensorflow" });
  const product = tf.tidy(() => tf.matMul([[1, 2], [3, 4]], [[5, 6], [7, 8]]));
  const numbers = [...await product.data()].join(" ");
  product.dispose();
  if (numbers === "19 22 43 50") return description;
  throw new UserError(`Cannot trust TensorFlow: wanted 19 22 43 50 from it, found ${numbers}`);
}
