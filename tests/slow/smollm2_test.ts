/**
 * A real model against PyTorch: tests/golden/smollm2.json (float64 numbers of make_smollm2.py, torch
 * 2.15) and SmolLM2-135M-Instruct as `scripts/fetch_model.ts` fetches it.
 */
import { useBackend } from "../../lib/backend/use_backend.ts";
import { createRandom } from "../../lib/random.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { generateTokens } from "../../lib/model/generate_tokens.ts";
import { meanMetrics } from "../../lib/loss/preference_metrics.ts";
import { encodePair } from "../../lib/tokenizer/encode_pair.ts";
import { buildModels, type Models } from "../../lib/train/build_models.ts";
import { dpoGradients } from "../../lib/train/dpo_step.ts";
import { preferenceBatch } from "../../lib/train/preference_batch.ts";
import { scorePairs } from "../../lib/train/score_pairs.ts";
import type { EncodedPair } from "../../lib/types.ts";
import { assertClose, relativeError } from "../close.ts";
import { testUnless } from "../test_unless.ts";

const MODEL = new URL("../../models/SmolLM2-135M-Instruct", import.meta.url).pathname;
const LOG_PROBS = { absolute: 2e-3 }, GRADIENTS = 1e-4;

type Sides = { chosen: number[]; rejected: number[] };
type Summary = { norm: number; projection: number; samples: number[] };
type Golden = {
  weights: Record<string, { norm: number; sum: number }>;
  beta: number;
  texts: { prompt: string; chosen: string; rejected: string }[];
  pairs: EncodedPair[];
  reference: Sides;
  adapter: { rank: number; alpha: number; seed: number; spreadA: number; spreadB: number };
  policy: Sides;
  loss: number;
  gradientNorm: number;
  projectionSeed: number;
  sampleStride: number;
  gradients: Record<string, Summary>;
  greedy: { prompt: number[]; tokens: number[] }[];
};

const golden: Golden = JSON.parse(
  await Deno.readTextFile(new URL("../golden/smollm2.json", import.meta.url)),
);
golden.pairs.forEach((pair, index) => pair.index = index);
const backend = await useBackend();
const present = await Deno.stat(MODEL).then(() => true, () => false);
const missing = !present
  ? "models/SmolLM2-135M-Instruct is not there; scripts/fetch_model.ts fetches it"
  : backend.name !== "tensorflow"
  ? `${backend.name} would take too long`
  : null;

function test(claim: string, check: (models: Models) => void | Promise<void>): void {
  testUnless(missing, `${claim} (SmolLM2-135M)`, async () => {
    using models = await goldenModels();
    await check(models);
  });
}

/** The model with the adapter that the golden numbers are of. */
async function goldenModels(): Promise<Models> {
  const { rank, alpha, seed, spreadA, spreadB } = golden.adapter;
  const models = await buildModels({ sftModelPath: MODEL, rank, alpha });
  const random = createRandom(seed);
  for (const [name, { data }] of models.adapter!.parameters) {
    const spread = name.includes("lora_A") ? spreadA : spreadB;
    for (let i = 0; i < data.length; i++) data[i] = (random.next() - 0.5) * spread;
  }
  models.trainable.refresh();
  return models;
}

test("buildModels() reads the weights that the numbers are of", async ({ network }) => {
  for (const [name, { norm, sum }] of Object.entries(golden.weights)) {
    const data = await network.weights.get(name)!.data();
    let total = 0, squares = 0;
    for (const weight of data) {
      total += weight;
      squares += weight * weight;
    }
    assertClose([Math.sqrt(squares), total], [norm, sum], { relative: 1e-5, message: name });
  }
});

test("encodePair() gives the token ids that the numbers are of", ({ tokenizer }) => {
  golden.texts.forEach((text, index) =>
    assertEquals(encodePair(tokenizer, text, { index }), golden.pairs[index])
  );
});

test("scorePairs() and dpoGradients() equal PyTorch's", async (models) => {
  const batch = await preferenceBatch(models, golden.pairs);
  const policy = await scorePairs(models, golden.pairs, { adapter: true, batchSize: 3 });
  for (const side of ["chosen", "rejected"] as const) {
    assertClose(batch.reference[side], golden.reference[side], LOG_PROBS);
    assertClose(policy[side], golden.policy[side], LOG_PROBS);
  }
  const { gradients, sums } = await dpoGradients(models, [batch], { beta: golden.beta });
  assertClose(meanMetrics(sums).loss, golden.loss, { absolute: 5e-5 });
  const squares = gradients.flatMap((gradient) => gradient.reduce((sum, g) => sum + g * g, 0));
  const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
  assertClose(norm, golden.gradientNorm, { relative: GRADIENTS });
  const { names } = models.trainable;
  const compared = names.filter((name) => name in golden.gradients);
  assertEquals(compared.length, Object.keys(golden.gradients).length);
  for (const name of compared) checkGradient(name, gradients[names.indexOf(name)]);
});

/** The norm, a random projection and sampled entries: all off by less than 1e-4 of the norm. */
function checkGradient(name: string, gradient: Float32Array): void {
  const wanted = golden.gradients[name], random = createRandom(golden.projectionSeed);
  let squares = 0, projection = 0;
  for (const value of gradient) {
    squares += value * value;
    projection += value * (random.next() - 0.5);
  }
  const samples = wanted.samples.map((_, i) => gradient[i * golden.sampleStride % gradient.length]);
  assertClose(Math.sqrt(squares), wanted.norm, { relative: GRADIENTS, message: name });
  assertClose(projection, wanted.projection, { absolute: GRADIENTS * wanted.norm, message: name });
  const error = relativeError(samples, wanted.samples);
  assertClose(error, 0, { absolute: GRADIENTS, message: `${name}, samples` });
}

test("generateTokens() takes the tokens that PyTorch takes", async ({ network }) => {
  const prompts = golden.greedy.map(({ prompt }, index) => ({ ids: prompt, index }));
  const generated = await generateTokens(network, null, prompts, { maxNewTokens: 32, stopIds: [] });
  assert(generated.length > 0);
  assertEquals(generated.map(({ tokens }) => tokens), golden.greedy.map(({ tokens }) => tokens));
});
