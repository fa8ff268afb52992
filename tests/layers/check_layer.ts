import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { createRandom } from "../../lib/random.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import type { HostTensor } from "../../lib/types.ts";
import { presentBackends } from "../backend/backends.ts";
import { assertClose, relativeError } from "../close.ts";

/** A primitive's forward and backward, held against the same function written for tfjs' tape. */
export type LayerCase = {
  inputs: HostTensor[];
  /** The function as its formula says, differentiable by the tape. */
  plain: (...inputs: tf.Tensor[]) => tf.Tensor;
  /** Ours: the result, and the gradient of each input for a given `dy`. */
  layer: (...inputs: tf.Tensor[]) => {
    y: tf.Tensor;
    backward: (dy: tf.Tensor) => (tf.Tensor | undefined)[];
  };
};

const BACKENDS = await presentBackends();
/** Relative to the norm of a tensor; float32. */
const TOLERANCE = 2e-6;

/** Random numbers around `centre`. */
export function randomTensor(shape: number[], seed: number, centre = 0): HostTensor {
  const random = createRandom(seed), size = shape.reduce((a, b) => a * b);
  return { shape, data: Float32Array.from({ length: size }, () => centre + random.normal()) };
}

/** A host tensor on the backend in use. */
export function upload({ data, shape }: HostTensor): tf.Tensor {
  return tf.tensor(data.slice(), shape);
}

/**
 * Runs a case on every backend that is present: result and gradients are the tape's on plain
 * JavaScript, the tape's slope is that of finite differences, and no tensor is left behind.
 */
export async function checkLayer({ inputs, plain, layer }: LayerCase): Promise<void> {
  await useBackend({ backend: "cpu" });
  const before = tf.memory().numTensors;
  const y = tf.tidy(() => toHost(plain(...inputs.map(upload))));
  const dy = randomTensor(y.shape, 99);
  const loss = (...given: tf.Tensor[]) => tf.sum(tf.mul(plain(...given), upload(dy))) as tf.Scalar;
  const wanted = tf.tidy(() => tf.grads(loss)(inputs.map(upload)).map(toHost));
  checkSlope(inputs, wanted, (given) => tf.tidy(() => loss(...given.map(upload)).dataSync()[0]));
  assertEquals(tf.memory().numTensors, before);
  for (const backend of BACKENDS) {
    await useBackend({ backend });
    const held = tf.memory().numTensors;
    const result = tf.tidy(() => {
      const { y, backward } = layer(...inputs.map(upload));
      return { y, gradients: backward(upload(dy)) };
    });
    await assertNear(result.y, y, `${backend} y`);
    assertEquals(result.gradients.length, inputs.length);
    for (const [i, gradient] of result.gradients.entries()) {
      assert(gradient, `${backend} gives no gradient of input ${i}`);
      await assertNear(gradient, wanted[i], `${backend} gradient of input ${i}`);
    }
    tf.dispose(result);
    assertEquals(tf.memory().numTensors, held, `${backend} leaves a tensor behind`);
  }
}

/** The loss' rise along a random direction is that of its gradient. */
function checkSlope(
  inputs: HostTensor[],
  gradients: HostTensor[],
  loss: (inputs: HostTensor[]) => number,
): void {
  const step = 1e-2;
  inputs.forEach((input, i) => {
    const direction = randomTensor(input.shape, 7 + i).data;
    const moved = (by: number) =>
      inputs.map((other, j) =>
        j === i ? { ...other, data: other.data.map((x, at) => x + by * direction[at]) } : other
      );
    const rise = (loss(moved(step)) - loss(moved(-step))) / (2 * step);
    const { data } = gradients[i];
    const slope = data.reduce((sum, g, at) => sum + g * direction[at], 0);
    const scale = Math.hypot(...data) * Math.hypot(...direction);
    assertClose(rise / scale, slope / scale, { absolute: 3e-3, message: `input ${i}` });
  });
}

async function assertNear(actual: tf.Tensor, { shape, data }: HostTensor, message: string) {
  assertEquals(actual.shape, shape, message);
  assertClose(relativeError(await actual.data(), data), 0, { absolute: TOLERANCE, message });
}

function toHost(tensor: tf.Tensor): HostTensor {
  return { shape: tensor.shape, data: tensor.dataSync<"float32">().slice() };
}
