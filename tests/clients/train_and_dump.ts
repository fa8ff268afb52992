/**
 * Our side of tests/clients: trains two small adapters on the embedded model for four steps, saves
 * them as any run does, and writes what we say of them into OUT/dump.json.
 *
 *     deno run -A tests/clients/train_and_dump.ts OUT
 */
import type { LossType } from "../../lib/loss/loss_types.ts";
import { encodePair } from "../../lib/tokenizer/encode_pair.ts";
import { buildModels, type BuildModelsOptions, type Models } from "../../lib/train/build_models.ts";
import { dpoStep } from "../../lib/train/dpo_step.ts";
import { evaluate } from "../../lib/train/evaluate.ts";
import { pickPairs, preferenceBatch } from "../../lib/train/preference_batch.ts";
import { saveAdapter } from "../../lib/train/save_model.ts";
import type { Triplet } from "../../lib/types.ts";
import { allLogProbs } from "../parity/tiny_model.ts";

const MODEL = "models/sft_specialist/final_model";
const PAIRS = 16, BATCH = 4, BETA = 0.1, LEARNING_RATE = 1e-3;
const VARIANTS: Record<string, Partial<BuildModelsOptions>> = {
  qv: { rank: 4, alpha: 8 },
  all_rslora: { rank: 2, alpha: 3, targetModules: ["all-linear"], rsLora: true },
};
/** Loss types with their weights, as TRL knows them too. */
const LOSSES: { lossType: LossType[]; lossWeights: number[]; labelSmoothing: number }[] = [
  { lossType: ["sigmoid"], lossWeights: [1], labelSmoothing: 0 },
  { lossType: ["sigmoid", "sft"], lossWeights: [1, 0.5], labelSmoothing: 0 },
  { lossType: ["ipo"], lossWeights: [1], labelSmoothing: 0 },
  { lossType: ["hinge"], lossWeights: [1], labelSmoothing: 0 },
  { lossType: ["robust"], lossWeights: [1], labelSmoothing: 0.1 },
];
const TEXTS = [
  "Clinical Note: fever, 38.6 °C; BP 142/88.\n\nSummary:",
  " naïve  spaces\t\n",
  "日本 👩‍⚕️ 7",
];

const [out] = Deno.args;
const lines = (await Deno.readTextFile("phase2_data/dpo/val_dpo.jsonl")).split("\n");
const texts: Triplet[] = lines.slice(0, PAIRS).map((line) => JSON.parse(line));
const dump: Record<string, unknown> = {
  model: MODEL,
  beta: BETA,
  learningRate: LEARNING_RATE,
  texts,
};
for (const [name, options] of Object.entries(VARIANTS)) {
  using models = await buildModels({ sftModelPath: MODEL, seed: 5, ...options });
  const { pairs, ids } = encodeAll(models);
  const reference = await allLogProbs(models.network, null, ids);
  dump.shared ??= { pairs, ids, logProbs: [...reference], tokens: tokenIds(models) };
  await saveAdapter(models, `${out}/${name}/initial`);
  const batch = await preferenceBatch(models, pairs);
  for (let start = 0; start < PAIRS; start += BATCH) {
    const rows = Array.from({ length: BATCH }, (_, i) => start + i);
    const step = { beta: BETA, learningRate: LEARNING_RATE };
    await dpoStep(models, pickPairs(batch, rows), step);
  }
  await saveAdapter(models, `${out}/${name}/final_model`);
  const metrics = [];
  for (const loss of LOSSES) {
    metrics.push({ ...loss, ...await evaluate(models, batch, { beta: BETA, ...loss }) });
  }
  const logProbs = [...await allLogProbs(models.network, models.trainable.adapters(), ids)];
  dump[name] = { logProbs, metrics };
}
await Deno.writeTextFile(`${out}/dump.json`, JSON.stringify(dump));

/** The pairs as token ids, and the first one's whole chosen sequence. */
function encodeAll({ tokenizer }: Models) {
  const pairs = texts.map((text, index) => encodePair(tokenizer, text, { index }));
  return { pairs, ids: [...pairs[0].prompt, ...pairs[0].chosen] };
}

function tokenIds({ tokenizer }: Models) {
  const all = [...TEXTS, ...texts.map(({ prompt }) => String(prompt))];
  return all.map((text) => ({ text, ids: tokenizer.encode(text) }));
}
