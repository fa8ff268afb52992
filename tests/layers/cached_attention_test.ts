import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { attentionForward } from "../../lib/layers/attention.ts";
import {
  cachedAttention,
  type KeyValueCache,
  mergeCache,
} from "../../lib/layers/cached_attention.ts";
import { assertEquals } from "../../lib/std.ts";
import { presentBackends } from "../backend/backends.ts";
import { assertClose } from "../close.ts";
import { contextOf } from "./attention_context.ts";
import { randomTensor, upload } from "./check_layer.ts";

const SIZE = 2, LENGTH = 5, PROMPT = 2, HEADS = 4, KEY_HEADS = 2, HEAD_DIM = 4;

Deno.test("cachedAttention() gives, token by token, what attention over all tokens gives", async () => {
  for (const backend of await presentBackends()) {
    await useBackend({ backend });
    const before = tf.memory().numTensors;
    for (const mergeAfter of [null, 3]) {
      const results = tf.tidy(() => [stepwise(mergeAfter), whole()]);
      const [actual, wanted] = await Promise.all(results.map((result) => result.data()));
      assertClose(actual, wanted, { absolute: 1e-6, message: backend });
      tf.dispose(results);
    }
    assertEquals(tf.memory().numTensors, before);
  }
});

/** `[SIZE * LENGTH, heads, HEAD_DIM]`, sequence after sequence. */
function inputs(): tf.Tensor3D[] {
  return [HEADS, KEY_HEADS, KEY_HEADS].map((heads, i) =>
    upload(randomTensor([SIZE * LENGTH, heads, HEAD_DIM], i + 1)) as tf.Tensor3D
  );
}

/** The outputs of the tokens after the prompt in one pass, `[SIZE, LENGTH - PROMPT, width]`. */
function whole(): tf.Tensor3D {
  const [q, k, v] = inputs(), groups = [{ offset: 0, lengths: Array(SIZE).fill(LENGTH) }];
  const context = contextOf({ groups, segments: new Uint8Array(SIZE * LENGTH) }, {
    heads: HEADS,
    keyValueHeads: KEY_HEADS,
    headDim: HEAD_DIM,
  });
  const [fq, fk, fv] = [q, k, v].map((x) => tf.reshape<tf.Rank.R2>(x, [x.shape[0], -1]));
  const rows = tf.reshape(attentionForward(fq, fk, fv, context).y, [SIZE, LENGTH, -1]);
  return tf.slice(rows, [0, PROMPT, 0], [SIZE, LENGTH - PROMPT, HEADS * HEAD_DIM]) as tf.Tensor3D;
}

/** The same with a cache that starts at the prompt, merged after so many tokens. */
function stepwise(mergeAfter: number | null): tf.Tensor3D {
  const [q, k, v] = inputs();
  const token = (x: tf.Tensor3D, at: number) => tf.gather(x, [at, LENGTH + at]) as tf.Tensor3D;
  const prompt = (x: tf.Tensor3D) => {
    const rows = tf.reshape(x, [SIZE, LENGTH, KEY_HEADS, HEAD_DIM]);
    const first = tf.slice(rows, [0, 0, 0, 0], [SIZE, PROMPT, KEY_HEADS, HEAD_DIM]);
    const turned = tf.transpose(first, [0, 2, 1, 3]);
    return tf.reshape<tf.Rank.R3>(turned, [SIZE * KEY_HEADS, PROMPT, HEAD_DIM]);
  };
  let cache: KeyValueCache = { past: { k: prompt(k), v: prompt(v) } };
  let mask: tf.Tensor3D = tf.zeros([SIZE * KEY_HEADS, 1, PROMPT]);
  const outputs: tf.Tensor2D[] = [];
  for (let at = PROMPT; at < LENGTH; at++) {
    if (at === mergeAfter) {
      cache = mergeCache(cache);
      mask = tf.zeros([SIZE * KEY_HEADS, 1, cache.past.k.shape[1]]);
    }
    const own = { k: token(k, at), v: token(v, at) };
    const { y, recent } = cachedAttention(token(q, at), own, cache, { past: mask });
    cache = { ...cache, recent };
    outputs.push(y);
  }
  return tf.stack(outputs, 1) as tf.Tensor3D;
}
