/**
 * How far the numbers of bf32 and bfloat16 lie from float32's: an adapter is trained for some steps in
 * float32, then each says the log-probabilities of held-out answers, and PyTorch does the same with
 * the saved adapter in float32 and bfloat16. Prints the tables of docs/cost.md.
 *
 *     deno run -q -A bench/precision_table.ts
 */
import { type Precision, precisions } from "../lib/model/network.ts";
import { loadTriplets } from "../lib/data/load_triplets.ts";
import { encodePairs } from "../lib/tokenizer/encode_all.ts";
import { loadTokenizer } from "../lib/tokenizer/load_tokenizer.ts";
import { buildModels, type Models } from "../lib/train/build_models.ts";
import { dpoStep } from "../lib/train/dpo_step.ts";
import type { PairSums } from "../lib/train/pair_sums.ts";
import { preferenceBatch } from "../lib/train/preference_batch.ts";
import { saveAdapter } from "../lib/train/save_model.ts";
import { scorePairs } from "../lib/train/score_pairs.ts";
import type { EncodedPair } from "../lib/types.ts";
import { makeBenchPairs } from "./pairs.ts";
import { clientPython } from "./python.ts";

const SMOLLM2 = "models/SmolLM2-135M-Instruct", EMBEDDED = "models/sft_specialist/final_model";
const STEPS = 16, BATCH = 4, HELD_OUT = 48, LEARNING_RATE = 1e-4;
const BASELINE = new URL("precision_baseline.py", import.meta.url).pathname;

/** What each model says of the held-out pairs, by precision. */
type Scores = { policy: PairSums; reference: PairSums };
type Side = { float32: Scores } & Partial<Record<Precision, Scores>>;
type Case = { name: string; modelPath: string; train: EncodedPair[]; held: EncodedPair[] };

const python = await clientPython();
const realPairs = (await makeBenchPairs({
  modelPath: SMOLLM2,
  count: STEPS * BATCH + HELD_OUT,
  maxTokens: 300,
})).map(({ encoded }) => encoded);
const tokenizer = await loadTokenizer(EMBEDDED);
const [trainRows, heldRows] = await Promise.all(
  ["train", "val"].map(async (part) =>
    encodePairs(tokenizer, await loadTriplets(`phase2_data/dpo/${part}_dpo.jsonl`)).rows
  ),
);
const cases: Case[] = [{
  name: "SmolLM2-135M",
  modelPath: SMOLLM2,
  train: realPairs.slice(0, STEPS * BATCH),
  held: realPairs.slice(STEPS * BATCH),
}, {
  name: "embedded model",
  modelPath: EMBEDDED,
  train: trainRows.slice(0, STEPS * BATCH),
  held: heldRows.slice(0, HELD_OUT),
}];

const answers: string[] = [], margins: string[] = [];
for (const { name, modelPath, train, held } of cases) {
  const folder = await Deno.makeTempDir();
  const ours = await measure(modelPath, { train, held, adapterPath: folder });
  const theirs = await askPython({ modelPath, adapterPath: folder, pairs: held });
  await Deno.remove(folder, { recursive: true });
  const apart = differences(ours.float32, theirs.float32, held);
  console.log(`${name}: float32 here and in PyTorch part by ${apart.logProbs.most} nats at most`);
  for (const [who, { float32, ...rounded }] of [["dpo-kit", ours], ["PyTorch", theirs]] as const) {
    for (const [precision, scores] of Object.entries(rounded)) {
      const { logProbs, perToken, marginErrors, flips, margin } = differences(
        float32,
        scores,
        held,
      );
      const by = `${who}, ${precision}`, sides = `${flips} of ${held.length}`;
      answers.push(row(name, by, ...Object.values(logProbs), ...Object.values(perToken)));
      margins.push(row(name, by, margin, ...Object.values(marginErrors), sides));
    }
  }
}
console.log(["", ...answers, "", ...margins].join("\n"));

async function measure(
  modelPath: string,
  { train, held, adapterPath }: { train: EncodedPair[]; held: EncodedPair[]; adapterPath: string },
): Promise<Side> {
  using models = await buildModels({ sftModelPath: modelPath, rank: 8 });
  for (let start = 0; start < train.length; start += BATCH) {
    const batch = await preferenceBatch(models, train.slice(start, start + BATCH));
    await dpoStep(models, batch, { beta: 0.1, learningRate: LEARNING_RATE });
  }
  await saveAdapter(models, adapterPath);
  const side: Side = { float32: await score(models, held) };
  for (const precision of precisions.slice(1)) {
    using rounded = await buildModels({ sftModelPath: modelPath, rank: 8, precision });
    rounded.trainable.values.forEach((values, i) => values.set(models.trainable.values[i]));
    rounded.trainable.refresh();
    side[precision] = await score(rounded, held);
  }
  return side;
}

async function score(models: Models, pairs: EncodedPair[]): Promise<Scores> {
  const options = { batchSize: BATCH, exact: false };
  return {
    policy: await scorePairs(models, pairs, { ...options, adapter: true }),
    reference: await scorePairs(models, pairs, { ...options, adapter: false }),
  };
}

async function askPython(given: object): Promise<Side> {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(path, JSON.stringify(given));
  const { success, stdout, stderr } = await new Deno.Command(python, { args: [BASELINE, path] })
    .output();
  await Deno.remove(path);
  if (!success) throw new Error(`${BASELINE} failed:\n${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
}

/** How far two runs' policies and margins (log-ratio of chosen less that of rejected) lie apart. */
function differences(a: Scores, b: Scores, pairs: EncodedPair[]) {
  const errors = pairs.flatMap((pair, i) =>
    (["chosen", "rejected"] as const).map((side) => ({
      nats: Math.abs(a.policy[side][i] - b.policy[side][i]),
      tokens: pair[side].length,
    }))
  );
  const [first, second] = [a, b].map(({ policy, reference }) =>
    pairs.map((_, i) =>
      policy.chosen[i] - reference.chosen[i] - (policy.rejected[i] - reference.rejected[i])
    )
  );
  return {
    logProbs: spread(errors.map(({ nats }) => nats)),
    perToken: spread(errors.map(({ nats, tokens }) => nats / tokens)),
    marginErrors: spread(first.map((margin, i) => Math.abs(margin - second[i]))),
    margin: spread(first.map(Math.abs)).mean,
    flips: first.filter((margin, i) => margin > 0 !== second[i] > 0).length,
  };
}

function spread(values: number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const p95 = sorted[Math.ceil(0.95 * sorted.length) - 1];
  const [a, b, c] = [mean, p95, sorted.at(-1)!].map((value) => value.toPrecision(2));
  return { mean: a, p95: b, most: c };
}

function row(...cells: string[]): string {
  return `| ${cells.join(" | ")} |`;
}
