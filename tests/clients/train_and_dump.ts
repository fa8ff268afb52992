/**
 * Our side of tests/clients: trains two small adapters on the embedded model for four steps, saves
 * them as any run does, and writes what we say of them into OUT/dump.json.
 *
 *     deno run -A tests/clients/train_and_dump.ts OUT
 */
import type { LossOptions } from "../../lib/loss/loss_options.ts";
import { lossTypes } from "../../lib/loss/loss_types.ts";
import { encodePair } from "../../lib/tokenizer/encode_pair.ts";
import { buildModels, type BuildModelsOptions, type Models } from "../../lib/train/build_models.ts";
import { dpoStep } from "../../lib/train/dpo_step.ts";
import { evaluate } from "../../lib/train/evaluate.ts";
import { lossSettings } from "../../lib/train/loss_settings.ts";
import {
  pickPairs,
  type PreferenceBatch,
  preferenceBatch,
} from "../../lib/train/preference_batch.ts";
import { saveAdapter } from "../../lib/train/save_model.ts";
import type { Triplet } from "../../lib/types.ts";
import { allLogProbs } from "../parity/tiny_model.ts";

const MODEL = "models/sft_specialist/final_model";
const PAIRS = 16, BATCH = 4, BETA = 0.1, LEARNING_RATE = 1e-3;
const VARIANTS: Record<string, Partial<BuildModelsOptions>> = {
  qv: { rank: 4, alpha: 8 },
  all_rslora: { rank: 2, alpha: 3, targetModules: ["all-linear"], rsLora: true },
};
/** Losses as TRL knows them too; `dump.json` holds them under TRL's names. */
const LOSSES: Omit<LossOptions, "beta">[] = [
  { lossType: ["sigmoid", "sft"], lossWeights: [1, 0.5] },
  ...([
    "sigmoid",
    "ipo",
    "hinge",
    "nca_pair",
    "bco_pair",
    "sppo_hard",
    "aot",
    "aot_unpaired",
  ] as const)
    .map((lossType) => ({ lossType })),
  ...(["apo_zero", "apo_down", "discopop", "sigmoid_norm"] as const).map((lossType) => ({
    lossType,
  })),
  ...(["robust", "exo_pair"] as const).map((lossType) => ({ lossType, labelSmoothing: 0.1 })),
  ...(["forward_kl", "js_divergence", "alpha_divergence"] as const)
    .map((fDivergenceType) => ({ fDivergenceType })),
  { lossType: ["sigmoid_norm", "sft"], ldAlpha: 0.3 },
  { useWeighting: true },
];
/** Losses to take the four steps by. */
const STEPPED: Record<string, LossOptions> = {
  plain: { beta: BETA },
  mpo: { beta: BETA, lossType: ["sigmoid", "bco_pair", "sft"], lossWeights: [0.8, 0.2, 1] },
  sorted: { beta: 2, lossType: "aot_unpaired" },
  tails: {
    beta: BETA,
    lossType: ["sigmoid", "sft"],
    ldAlpha: 0.3,
    fDivergenceType: "js_divergence",
  },
  weighted: { beta: BETA, lossType: "sigmoid", useWeighting: true },
};
const TEXTS = [
  "Clinical Note: fever, 38.6 °C; BP 142/88.\n\nSummary:",
  " naïve  spaces\t\n",
  "日本 👩‍⚕️ 7",
];

const [out] = Deno.args;
const lines = (await Deno.readTextFile("phase2_data/dpo/val_dpo.jsonl")).split("\n");
/** Of three pairs one has a shorter chosen answer, one a shorter rejected one. */
const texts: Triplet[] = lines.slice(0, PAIRS).map((line, i) => {
  const { prompt, chosen, rejected } = JSON.parse(line);
  const cut = (text: string, when: number) =>
    i % 3 === when ? text.slice(0, text.length / 2) : text;
  return { prompt, chosen: cut(chosen, 1), rejected: cut(rejected, 2) };
});
const dump: Record<string, unknown> = {
  model: MODEL,
  beta: BETA,
  learningRate: LEARNING_RATE,
  lossTypes: Object.keys(lossTypes),
  texts,
};
for (const [name, options] of Object.entries(VARIANTS)) {
  using models = await buildModels({ sftModelPath: MODEL, seed: 5, ...options });
  const { pairs, ids } = encodeAll(models);
  const reference = await allLogProbs(models.network, null, ids);
  dump.shared ??= { pairs, ids, logProbs: [...reference], tokens: tokenIds(models) };
  await saveAdapter(models, `${out}/${name}/initial`);
  const batch = await preferenceBatch(models, pairs);
  await takeSteps(models, batch, STEPPED.plain);
  await saveAdapter(models, `${out}/${name}/final_model`);
  const metrics = [];
  for (const choice of LOSSES) {
    const loss = { ...choice, beta: BETA };
    metrics.push({ asked: asTrl(loss), metrics: await evaluate(models, batch, loss) });
  }
  const logProbs = [...await allLogProbs(models.network, models.trainable.adapters(), ids)];
  dump[name] = { logProbs, metrics };
}
const stepped: Record<string, unknown> = dump.stepped = {};
for (const [name, loss] of Object.entries(STEPPED)) {
  using models = await buildModels({ sftModelPath: MODEL, seed: 5, ...VARIANTS.qv });
  await takeSteps(models, await preferenceBatch(models, encodeAll(models).pairs), loss);
  await saveAdapter(models, `${out}/stepped/${name}`);
  stepped[name] = asTrl(loss);
}
await Deno.writeTextFile(`${out}/dump.json`, JSON.stringify(dump));

/** Four steps, a batch each. */
async function takeSteps(models: Models, batch: PreferenceBatch, loss: LossOptions) {
  for (let start = 0; start < PAIRS; start += BATCH) {
    const rows = Array.from({ length: BATCH }, (_, i) => start + i);
    await dpoStep(models, pickPairs(batch, rows), { ...loss, learningRate: LEARNING_RATE });
  }
}

/** A loss as TRL's DPOConfig takes it. */
function asTrl(loss: LossOptions) {
  const { dpop_lambda: _, ...settings } = lossSettings(loss);
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));
}

/** The pairs as token ids, and the first one's whole chosen sequence. */
function encodeAll({ tokenizer }: Models) {
  const pairs = texts.map((text, index) => encodePair(tokenizer, text, { index }));
  return { pairs, ids: [...pairs[0].prompt, ...pairs[0].chosen] };
}

function tokenIds({ tokenizer }: Models) {
  const all = [...TEXTS, ...texts.map(({ prompt }) => String(prompt))];
  return all.map((text) => ({ text, ids: tokenizer.encode(text) }));
}
