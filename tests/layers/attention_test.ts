import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import {
  attentionBackward,
  attentionForward,
  attentionOutput,
} from "../../lib/layers/attention.ts";
import { assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { contextOf } from "./attention_context.ts";
import { checkLayer, randomTensor, upload } from "./check_layer.ts";

const HEADS = 4, HEAD_DIM = 4;
/** Two tries of five and four tokens, computed together, and one plain sequence of three. */
const BATCH = {
  groups: [{ offset: 0, lengths: [5, 4] }, { offset: 9, lengths: [3] }],
  segments: Uint8Array.from([0, 0, 1, 1, 2, /**/ 0, 1, 2, 2, /**/ 0, 0, 0]),
};
const TOKENS = BATCH.segments.length;
/** Where its tokens stand in their own texts: a second tail goes on from the trunk. */
const POSITIONS = Int32Array.of(0, 1, 2, 3, 2, /**/ 0, 1, 1, 2, /**/ 0, 1, 2);

/** Whether token `i` of a sequence sees token `j`, by the definition of a trie. */
function seesInTrie(segments: Uint8Array, i: number, j: number): boolean {
  if (i === j) return true;
  if (j > i) return false;
  return segments[j] === 0 || segments[j] === segments[i];
}

/** Softmax attention, a sequence and a head at a time; blocked scores are left out of the sum. */
const plainAttention = (window: number) => (...given: tf.Tensor[]): tf.Tensor => {
  const [q, k, v] = given.map((x) => tf.reshape(x, [TOKENS, -1, HEAD_DIM]));
  const share = HEADS / k.shape[1]!, rows: tf.Tensor[] = [];
  for (const { offset, lengths } of BATCH.groups) {
    for (const [item, length] of lengths.entries()) {
      const start = offset + lengths.slice(0, item).reduce((sum, before) => sum + before, 0);
      const segments = BATCH.segments.subarray(start, start + length);
      const places = POSITIONS.subarray(start, start + length);
      const sees = (i: number, j: number) =>
        seesInTrie(segments, i, j) && places[i] - places[j] < window;
      const seen = tf.tensor2d(
        Array.from(
          { length },
          (_, i) => Array.from({ length }, (_, j) => Number(sees(i, j))),
        ),
      );
      const part = (x: tf.Tensor, head: number) =>
        tf.reshape<tf.Rank.R2>(tf.slice(x, [start, head, 0], [length, 1, HEAD_DIM]), [
          length,
          HEAD_DIM,
        ]);
      const heads = Array.from({ length: HEADS }, (_, h) => {
        const shared = Math.floor(h / share);
        const scores = tf.matMul(part(q, h), part(k, shared), false, true);
        const weights = tf.mul(tf.exp(scores), seen);
        return tf.matMul(tf.div(weights, tf.sum(weights, 1, true)), part(v, shared));
      });
      rows.push(tf.concat(heads, 1));
    }
  }
  return tf.concat(rows, 0);
};

const CASES = [[4, Infinity], [2, Infinity], [1, Infinity], [2, 2], [1, 3]];
for (const [keyValueHeads, size] of CASES) {
  const name = `${keyValueHeads} key heads, ${size} tokens seen`;
  Deno.test(`attentionBackward() equals the tape's gradient: ${name}`, async () => {
    await checkLayer({
      inputs: [
        randomTensor([TOKENS, HEADS * HEAD_DIM], 1),
        randomTensor([TOKENS, keyValueHeads * HEAD_DIM], 2),
        randomTensor([TOKENS, keyValueHeads * HEAD_DIM], 3),
      ],
      plain: plainAttention(size),
      layer(...given) {
        const [q, k, v] = given as tf.Tensor2D[];
        const shape = { heads: HEADS, keyValueHeads, headDim: HEAD_DIM };
        const window = size < Infinity ? { size, positions: POSITIONS } : undefined;
        const context = contextOf(BATCH, shape, { window });
        const { y, saved } = attentionForward(q, k, v, context);
        return {
          y,
          backward(dy) {
            const { dq, dk, dv } = attentionBackward(dy as tf.Tensor2D, saved, context);
            return [dq, dk, dv];
          },
        };
      },
    });
  });
}

Deno.test("attentionOutput() is attentionForward()'s result again", async () => {
  await useBackend({ backend: "cpu" });
  tf.tidy(() => {
    const x = upload(randomTensor([TOKENS, HEADS * HEAD_DIM], 4)) as tf.Tensor2D;
    const context = contextOf(BATCH, { heads: HEADS, keyValueHeads: HEADS, headDim: HEAD_DIM });
    const { y, saved } = attentionForward(x, x, x, context);
    assertEquals(attentionOutput(saved, context).arraySync(), y.arraySync());
  });
});

Deno.test("attentionForward() of one trie equals two plain sequences", async () => {
  await useBackend({ backend: "cpu" });
  tf.tidy(() => {
    const [q, k, v] = [1, 2, 3].map((seed) => upload(randomTensor([5, HEAD_DIM], seed)));
    const attend = (tokens: number[], segments: number[]) => {
      const [tq, tk, tv] = [q, k, v].map((x) => tf.gather(x, tokens) as tf.Tensor2D);
      const groups = [{ offset: 0, lengths: [tokens.length] }];
      const batch = { groups, segments: Uint8Array.from(segments) };
      const context = contextOf(batch, { heads: 1, keyValueHeads: 1, headDim: HEAD_DIM });
      return attentionForward(tq, tk, tv, context).y.arraySync();
    };
    const trie = attend([0, 1, 2, 3, 4], [0, 0, 1, 1, 2]);
    const first = attend([0, 1, 2, 3], [0, 0, 0, 0]), second = attend([0, 1, 4], [0, 0, 0]);
    const [flat, wanted] = [trie, [...first, second[2]]].map((rows) => rows.flat());
    assertClose(flat, wanted, { absolute: 1e-6 });
  });
});
