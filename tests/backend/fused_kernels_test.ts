/** Each fused kernel against its twin in plain tfjs, both on TensorFlow. */
import * as tf from "@tensorflow/tfjs";
import { fusedKernels, switchFusedKernels } from "../../lib/backend/fused_kernels.ts";
import { weightProducts } from "../../lib/backend/half_matrix.ts";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { attentionBackward, attentionForward } from "../../lib/layers/attention.ts";
import { cachedAttention } from "../../lib/layers/cached_attention.ts";
import { gatedBackward, gatedForward } from "../../lib/layers/gated_mlp.ts";
import { rmsNormBackward, rmsNormForward } from "../../lib/layers/rms_norm.ts";
import { ropeBackward, ropeForward, ropeTables } from "../../lib/layers/rope.ts";
import { ropeFrequencies } from "../../lib/layers/rope_frequencies.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { assertClose, relativeError } from "../close.ts";
import { randomTensor, upload } from "../layers/check_layer.ts";
import { contextOf } from "../layers/attention_context.ts";
import { presentBackends } from "./backends.ts";

const hasTensorflow = (await presentBackends()).includes("tensorflow");
if (hasTensorflow) await useBackend({ backend: "tensorflow" });
const ignore = !hasTensorflow || fusedKernels() === null;
const TOLERANCE = 1e-6;

/** Runs one computation with the kernels and without them. */
function compare(name: string, compute: () => tf.Tensor[]): void {
  const before = tf.memory().numTensors;
  const run = (on: boolean) => {
    switchFusedKernels(on);
    try {
      return tf.tidy(() => compute().map((tensor) => tensor.dataSync<"float32">().slice()));
    } finally {
      switchFusedKernels(true);
    }
  };
  const [fused, plain] = [run(true), run(false)];
  fused.forEach((values, i) => {
    const message = `${name}, result ${i}`;
    assertClose(relativeError(values, plain[i]), 0, { absolute: TOLERANCE, message });
  });
  assertEquals(tf.memory().numTensors, before);
}

const random = (shape: number[], seed: number, centre = 0) =>
  upload(randomTensor(shape, seed, centre));
/** Below, at and above the lanes of a row sum, one thread's share and more. */
const SIZES = [[1, 2], [3, 31], [5, 32], [2, 33], [40, 100], [300, 576]];

for (const [rows, width] of SIZES) {
  Deno.test({
    name: `fused RMSNorm and SwiGLU equal plain ones: [${rows}, ${width}]`,
    ignore,
    async fn() {
      await useBackend({ backend: "tensorflow" });
      const shape = [rows, width];
      compare("RMSNorm", () => {
        const x = random(shape, 1) as tf.Tensor2D, weight = random([width], 2, 1) as tf.Tensor1D;
        const { y, rstd } = rmsNormForward(x, weight, 1e-5), dy = random(shape, 3) as tf.Tensor2D;
        const residual = random(shape, 4) as tf.Tensor2D;
        const back = (residual?: tf.Tensor2D) =>
          rmsNormBackward(dy, x, rstd, weight, { weights: false, residual }).dx;
        return [y, rstd, back(), back(residual)];
      });
      compare("SwiGLU", () => {
        const [gate, up, dy] = [5, 6, 7].map((seed) => random(shape, seed) as tf.Tensor2D);
        const large = tf.mul<tf.Tensor2D>(gate, 60); // sigmoid's both ends
        const { dgate, dup } = gatedBackward(dy, large, up);
        return [gatedForward(large, up), dgate, dup];
      });
    },
  });
}

Deno.test({
  name: "fused RoPE equals the plain one, and turns back what it turned",
  ignore,
  async fn() {
    await useBackend({ backend: "tensorflow" });
    const positions = Int32Array.from({ length: 70 }, (_, i) => 3 * i);
    compare("RoPE", () => {
      const tables = ropeTables(positions, { frequencies: ropeFrequencies(64, 1e5) });
      const x = random([70, 9, 64], 1) as tf.Tensor3D, y = ropeForward(x, tables);
      const back = ropeBackward(y, tables);
      const error = relativeError(back.dataSync<"float32">(), x.dataSync<"float32">());
      assertClose(error, 0, { absolute: TOLERANCE });
      return [y, back];
    });
  },
});

Deno.test({
  name: "fused attention equals the plain one: several blocks, padding, tails, shared keys",
  ignore,
  async fn() {
    await useBackend({ backend: "tensorflow" });
    const shape = { heads: 6, keyValueHeads: 2, headDim: 16 };
    const segmentsOf = (trunk: number, first: number, second: number) => [
      ...Array(trunk).fill(0),
      ...Array(first).fill(1),
      ...Array(second).fill(2),
    ];
    const tries = [segmentsOf(250, 40, 10), segmentsOf(280, 0, 7), segmentsOf(5, 3, 1)];
    const segments = Uint8Array.from(tries.flat()), tokens = segments.length;
    const groups = [
      { offset: 0, lengths: [tries[0].length, tries[1].length] },
      { offset: tries[0].length + tries[1].length, lengths: [tries[2].length] },
    ];
    const starts = [0, 300, 587];
    const own = Int32Array.from(segments, (segment, i) => {
      const item = starts.findLastIndex((start) => i >= start), at = i - starts[item];
      const [trunk, first] = [[250, 40], [280, 0], [5, 3]][item];
      return segment === 2 ? at - first : Math.max(at, segment && trunk);
    });
    for (const size of [undefined, 5, 130, 270]) {
      compare(`attention, ${size}`, () => {
        const [q, k, v] = [shape.heads, shape.keyValueHeads, shape.keyValueHeads].map((heads, i) =>
          random([tokens, heads * shape.headDim], i + 1) as tf.Tensor2D
        );
        const positions = Int32Array.from({ length: tokens }, (_, i) => i % 300);
        const window = size === undefined ? undefined : { size, positions: own };
        const context = contextOf({ groups, segments }, shape, { positions, window });
        const { groups: [group], isFull } = context.layout;
        assert(group.blocks.length > 1 && !isFull, "the case is as named");
        const { y, saved } = attentionForward(q, k, v, context);
        const dy = random(y.shape, 4) as tf.Tensor2D;
        const { dq, dk, dv } = attentionBackward(dy, saved, context);
        return [y, dq, dk, dv];
      });
    }
  },
});

Deno.test({
  name: "products of few rows equal TensorFlow's: any number of rows, columns, results and weights",
  ignore,
  async fn() {
    await useBackend({ backend: "tensorflow" });
    for (const [rows, width, outs] of [[1, 1, 1], [3, 33, 7], [16, 576, 64], [17, 100, 9]]) {
      compare(`[${rows}, ${width}] times [${outs}, ${width}]`, () => {
        const x = random([rows, width], 1) as tf.Tensor2D;
        const weights = [outs, 2 * outs + 1, 1].map((outs, i) =>
          random([outs, width], i + 2) as tf.Tensor2D
        );
        return weightProducts(x, weights, { transpose: true });
      });
    }
  },
});

Deno.test({
  name: "fused attention over cached keys equals the plain one: padding, recent keys, shared ones",
  ignore,
  async fn() {
    await useBackend({ backend: "tensorflow" });
    const size = 3, keyHeads = 2, share = 3, headDim = 20, rows = size * keyHeads;
    const keyValues = (tokens: number, seed: number) => ({
      k: random([rows, tokens, headDim], seed) as tf.Tensor3D,
      v: random([rows, tokens, headDim], seed + 1) as tf.Tensor3D,
    });
    for (const [past, recent] of [[1, 0], [40, 5], [300, 1]]) {
      compare(`${past} and ${recent} keys`, () => {
        const q = random([size, keyHeads * share, headDim], 1) as tf.Tensor3D;
        const [k, v] = [2, 3].map((seed) => random([size, keyHeads, headDim], seed) as tf.Tensor3D);
        const hidden = Float32Array.from({ length: rows * past }, (_, i) => {
          const row = Math.floor(i / past), key = i % past;
          return key > 9 + row && key < 250 || key === row ? -1e9 : 0; // runs, and between them none
        });
        const mask = tf.tensor3d(hidden, [rows, 1, past]);
        const cache = {
          past: keyValues(past, 4),
          ...(recent > 0 && { recent: keyValues(recent, 6) }),
        };
        const { y, recent: next } = cachedAttention(q, { k, v }, cache, { past: mask });
        return [y, next.k, next.v];
      });
    }
  },
});

Deno.test({
  name: "fused kernels let NaN through and refuse shapes that don't fit",
  ignore,
  async fn() {
    await useBackend({ backend: "tensorflow" });
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const kernels = fusedKernels()!, broken = tf.tensor2d([[1, NaN], [1, 2]]);
      const [y] = kernels.rmsNorm(broken, tf.ones([2]), 1e-5);
      assertEquals([...y.dataSync()].map(Number.isNaN), [true, true, false, false]);
      const gated = kernels.gated(broken, tf.ones([2, 2]));
      assertEquals([...gated.dataSync()].map(Number.isNaN), [false, true, false, false]);
      const refused = (call: () => unknown) => {
        try {
          call();
        } catch (error) {
          return assert(`${error}`.includes("[N, D]"), `${error}`);
        }
        assert(false, "nothing was thrown");
      };
      refused(() => kernels.rmsNorm(broken, tf.ones([3]), 1e-5));
      refused(() => kernels.rmsNormGrad(broken, tf.ones([2, 3]), tf.ones([2, 1]), tf.ones([3])));
    });
    assertEquals(tf.memory().numTensors, before);
  },
});
