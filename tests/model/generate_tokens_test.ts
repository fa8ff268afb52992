import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { generateTokens } from "../../lib/model/generate_tokens.ts";
import { sampleToken } from "../../lib/model/sample_token.ts";
import { createRandom } from "../../lib/random.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { allLogProbs } from "../parity/tiny_model.ts";
import { randomPairs, tinyModels } from "../train/tiny_models.ts";

await useBackend({ backend: "cpu" });

const PROMPTS = randomPairs(4, 9).map(({ prompt }, index) => ({ ids: prompt, index }));

Deno.test("generateTokens() takes the token that a pass without cache finds likeliest", async () => {
  using models = await tinyModels();
  const options = { maxNewTokens: 40, stopIds: [] };
  const before = tf.memory().numTensors;
  const written = await generateTokens(models.network, null, PROMPTS, options);
  assertEquals(tf.memory().numTensors, before);
  const { vocabSize } = models.network.config;
  for (const [i, { ids }] of PROMPTS.entries()) {
    const { tokens } = written[i];
    const logProbs = await allLogProbs(models.network, null, [...ids, ...tokens.slice(0, -1)]);
    const best = tokens.map((_, step) => {
      const row = logProbs.subarray((ids.length - 1 + step) * vocabSize).subarray(0, vocabSize);
      return row.indexOf(Math.max(...row));
    });
    assertEquals(tokens, best, `prompt ${i}`);
  }
});

Deno.test("generateTokens() draws the same text alone as in a batch, and another for another seed", async () => {
  using models = await tinyModels();
  const options = { maxNewTokens: 12, stopIds: [2], temperature: 1, seed: 3 };
  const together = await generateTokens(models.network, null, PROMPTS, options);
  for (const [i, prompt] of PROMPTS.entries()) {
    assertEquals(await generateTokens(models.network, null, [prompt], options), [together[i]]);
  }
  const other = await generateTokens(models.network, null, PROMPTS, { ...options, seed: 4 });
  assert(JSON.stringify(other) !== JSON.stringify(together));
});

Deno.test("generateTokens() ends a text at a stop token, which is not part of it", async () => {
  using models = await tinyModels();
  const free = await generateTokens(models.network, null, PROMPTS.slice(0, 1), {
    maxNewTokens: 6,
    stopIds: [],
  });
  const stop = free[0].tokens[3], first = free[0].tokens.indexOf(stop);
  const [ended] = await generateTokens(models.network, null, PROMPTS.slice(0, 1), {
    maxNewTokens: 6,
    stopIds: [stop],
  });
  assertEquals(ended, { tokens: free[0].tokens.slice(0, first), stopped: true });
});

Deno.test("sampleToken() draws by softmax, and inside the nucleus only", () => {
  const logits = Float32Array.from([Math.log(0.5), Math.log(0.3), Math.log(0.2)]);
  const random = createRandom(1), counts = [0, 0, 0];
  for (let i = 0; i < 20_000; i++) counts[sampleToken(logits, random, { temperature: 1 })]++;
  counts.forEach((count, i) => assert(Math.abs(count / 20_000 - [0.5, 0.3, 0.2][i]) < 0.015));
  const nucleus = new Set(
    Array.from({ length: 500 }, () => sampleToken(logits, random, { temperature: 1, topP: 0.7 })),
  );
  assertEquals([...nucleus].sort(), [0, 1]);
  const sharp = new Set(
    Array.from({ length: 200 }, () => sampleToken(logits, random, { temperature: 0.01 })),
  );
  assertEquals([...sharp], [0]);
});
