import * as tf from "@tensorflow/tfjs";
import { type BackendName, useBackend } from "../../lib/backend/use_backend.ts";
import { createRandom } from "../../lib/random.ts";
import { assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { presentBackends } from "./backends.ts";

/** Every kernel that the rooms above call, in the shapes and ranks in which they call it. */
const random = createRandom(11);
const floats = (shape: number[]) => () => {
  const size = shape.reduce((product, n) => product * n, 1);
  return tf.tensor(Float32Array.from({ length: size }, () => random.normal()), shape);
};
const [A, B, C] = [[5, 7], [7, 3], [2, 3, 4, 6]].map((shape) => {
  const values = floats(shape)().dataSync();
  return () => tf.tensor(values, shape);
});
const wide = () => tf.tile(A(), [27, 19]);
const indices = () => tf.tensor1d([4, 0, 0, 2], "int32");
const positive = () => tf.add(tf.abs(A()), 0.5);

const cases: Record<string, () => tf.Tensor | tf.Tensor[]> = {
  matMul: () => tf.matMul(A(), B()),
  "matMul, larger than a tile": () => tf.matMul(wide(), wide(), true),
  "matMul, both transposed": () => tf.matMul(B(), A(), true, true),
  "matMul, batched": () => tf.matMul(C(), C(), false, true),
  "matMul, batch broadcast": () => tf.matMul(C(), tf.ones([1, 1, 6, 5])),
  add: () => tf.add(A(), tf.ones([1, 7])),
  sub: () => tf.sub(A(), tf.ones([5, 1])),
  mul: () => tf.mul(A(), A()),
  "mul by a scalar": () => tf.mul(C(), 0.125),
  div: () => tf.div(A(), positive()),
  neg: () => tf.neg(A()),
  exp: () => tf.exp(A()),
  log: () => tf.log(positive()),
  sqrt: () => tf.sqrt(positive()),
  rsqrt: () => tf.rsqrt(positive()),
  square: () => tf.square(A()),
  abs: () => tf.abs(A()),
  sigmoid: () => tf.sigmoid(A()),
  softplus: () => tf.softplus(A()),
  cos: () => tf.cos(A()),
  sin: () => tf.sin(A()),
  softmax: () => tf.softmax(C()),
  "softmax of a masked row": () => tf.softmax(tf.tensor2d([[1, -1e9, 2], [-1e9, -1e9, 0]])),
  logSumExp: () => tf.logSumExp(C(), -1, true),
  sum: () => tf.sum(C(), [0, 2]),
  "sum with keepDims": () => tf.sum(C(), -1, true),
  "mean with keepDims": () => tf.mean(C(), -1, true),
  "max with keepDims": () => tf.max(C(), -1, true),
  reshape: () => tf.reshape(C(), [6, -1]),
  transpose: () => tf.transpose(A()),
  "transpose of rank 4": () => tf.transpose(C(), [0, 2, 1, 3]),
  slice: () => tf.slice(C(), [0, 1, 0, 2], [2, 2, -1, 3]),
  concat: () => tf.concat([C(), C()], -1),
  "gather of rows": () => tf.gather(A(), indices()),
  "gather along the last axis": () => tf.gather(A(), indices(), 1),
  unsortedSegmentSum: () => tf.unsortedSegmentSum(A(), tf.tensor1d([4, 0, 0, 2, 4], "int32"), 6),
  "unsortedSegmentSum of rank 3": () =>
    tf.unsortedSegmentSum(tf.reshape(C(), [6, 4, 6]), tf.tensor1d([1, 0, 1, 0, 1, 0], "int32"), 2),
  tile: () => tf.tile(A(), [2, 3]),
  where: () => tf.where(tf.greater(A(), 0), A(), tf.zerosLike(A())),
  less: () => tf.less(A(), tf.zeros([1, 7])),
  equal: () => tf.equal(indices(), tf.scalar(0, "int32")),
  maximum: () => tf.maximum(A(), 0),
  pad: () => tf.pad(A(), [[1, 0], [0, 2]], -1),
  argMax: () => tf.argMax(A(), -1),
  topk: () => Object.values(tf.topk(A(), 3)),
  "cast to int32": () => tf.cast(tf.mul(A(), 10), "int32"),
  "cast to float32": () => tf.cast(tf.greater(A(), 0), "float32"),
  split: () => tf.split(A(), [2, 4, 1], 1),
  stack: () => tf.stack([A(), A()], 1),
  expandDims: () => tf.expandDims(A(), 1),
  cumsum: () => tf.cumsum(A(), 1),
  range: () => tf.range(0, 5, 1, "int32"),
  oneHot: () => tf.oneHot(indices(), 6),
  linspace: () => tf.fill([2, 3], 0.5),
};

type Result = { shape: number[]; dtype: string; data: number[] };

/** Runs every case on `backend`; the numbers, shapes and dtypes of the results. */
async function results(backend: BackendName): Promise<Record<string, Result[]>> {
  await useBackend({ backend });
  const before = tf.memory().numTensors;
  const found: Record<string, Result[]> = {};
  for (const [name, run] of Object.entries(cases)) {
    const tensors = tf.tidy(() => [run()].flat());
    found[name] = [];
    for (const t of tensors) {
      found[name].push({ shape: t.shape, dtype: t.dtype, data: [...await t.data()] });
    }
    tf.dispose(tensors);
  }
  assertEquals(tf.memory().numTensors, before);
  return found;
}

const oracle = await results("cpu");
for (const backend of await presentBackends()) {
  if (backend === "cpu") continue;
  const found = await results(backend);
  for (const name of Object.keys(cases)) {
    Deno.test(`${name} on ${backend} equals plain JavaScript's`, () => {
      found[name].forEach(({ shape, dtype, data }, i) => {
        const wanted = oracle[name][i];
        assertEquals({ shape, dtype }, { shape: wanted.shape, dtype: wanted.dtype });
        assertClose(data, wanted.data, { absolute: 1e-6, relative: 1e-5 });
      });
    });
  }
}
